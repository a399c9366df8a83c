"""The documentation is true to the program: links, commands, pages, layers, and the site builds."""

import pkgutil
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from hydra import compose, initialize_config_dir

from genlab.cli import arguments
from genlab.config.pages import config_folder
from genlab.config.schema import register_schema
from genlab.settings import COMMANDS

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
sys.path.insert(0, str(ROOT / "scripts" / "site"))

import architecture  # noqa: E402
import notebooks  # noqa: E402
import reference  # noqa: E402

PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
FENCED = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
SETTING = re.compile(r"(?<![\w./])(?:model|data|evaluate|trainer|checkpoint)(?:\.\w+)+(?==)")


def prose(file: Path) -> str:
    """A page without its code."""
    return re.sub(r"`[^`\n]+`", "", FENCED.sub("", file.read_text()))


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings."""
    return {reference.anchor(title) for title in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}


def generated() -> dict[str, str]:
    """The pages that exist on the site only, by name."""
    made = reference.pages()
    return {**made, "notebooks/first-steps.md": (DOCS / "notebooks/first-steps.ipynb").read_text()}


def broken_links(file: Path) -> Iterator[str]:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(file)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        place = (file.parent / path).resolve() if path else file
        made = generated() if DOCS in file.parents and not place.exists() else {}
        name = place.relative_to(ROOT / "docs").as_posix() if DOCS in place.parents else ""
        if not place.exists() and name not in made:
            yield target
        elif anchor:
            text = made[name] if name in made else place.read_text()
            if anchor not in anchors(FENCED.sub("", text)):
                yield target


@pytest.mark.parametrize("file", PAGES, ids=lambda f: f.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(file: Path) -> None:
    assert not list(broken_links(file))


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text("# A title (`x=y`)\n")
    page = tmp_path / "page.md"
    page.write_text("[a](other.md#a-title-xy) [b](other.md#no) [c](no.md) `[d](no.md)` [e](a:b)\n")
    assert list(broken_links(page)) == ["other.md#no", "no.md"]


def test_the_readme_is_short_and_says_how_to_test() -> None:
    text = (ROOT / "README.md").read_text()
    assert len(text.splitlines()) <= 150
    assert re.search(r"^make test ", text, re.MULTILINE)


def test_the_chapter_has_every_page() -> None:
    missing = reference.choices() - set(reference.chapter_places())
    elsewhere = ("trainer=", "experiment=", "hydra/")  # the guides have these
    assert {each for each in missing if not each.startswith(elsewhere)} == set()


def test_the_chapter_knows_no_other_page() -> None:
    assert set(reference.chapter_places()) <= reference.choices()


def commands_in(file: Path) -> Iterator[str]:
    """The genlab commands of a page's shell blocks, without comments and continued lines."""
    for language, block in FENCED.findall(file.read_text()):
        if language == "sh":
            for line in block.replace("\\\n", " ").splitlines():
                command = re.search(r"\bgenlab (.*)", line.split(" #")[0])
                if command and not line.startswith(("#", "pip")):
                    yield command[1].strip()


LINES = sorted({line for file in PAGES for line in commands_in(file)})


def test_commands_of_the_pages_are_found() -> None:
    assert len(LINES) > 80


@pytest.mark.parametrize("line", [each for each in LINES if not each.startswith("train")])
def test_commands_are_known_with_all_their_settings(line: str) -> None:
    command, *words = shlex.split(line)
    assert command in COMMANDS
    if command == "edit":
        words = [arguments.expression(word) for word in words]
    arguments.check(command, [arguments.quoted(word) for word in words])
    known = reference.abouts(reference.settings_of(command))
    assert {word.partition("=")[0] for word in words if word[0] != "-"} <= set(known)


@pytest.fixture(scope="module")
def hydra() -> Iterator[None]:
    register_schema()
    with initialize_config_dir(str(config_folder()), version_base="1.3"):
        yield


@pytest.mark.parametrize("line", [each for each in LINES if each.startswith("train")])
def test_trainings_compose(line: str, hydra: None) -> None:
    words = [word for word in shlex.split(line)[1:] if word != "-m"]
    words = [word for word in words if not word.startswith(("resume=", "hydra"))]
    if "-m" in line.split():  # one job of the multirun
        words = [re.sub(r"=(?!.*[(\[])([^,]+),.*", r"=\1", word) for word in words]
        words = [re.sub(r"=(?:tag|interval)\(.*", "=1e-3", word) for word in words]
    words = [arguments.quoted(word) for word in words]
    arguments.check("train", words)
    compose("train", overrides=words)


def settings_of_pages() -> set[str]:
    """The dotted names of all settings that a config page has."""

    def names(node: object, above: str) -> Iterator[str]:
        for key, value in node.items() if isinstance(node, dict) else []:
            yield f"{above}{key}"
            yield from names(value, f"{above}{key}.")

    found: set[str] = set()
    for file in config_folder().rglob("*.yaml"):
        text = file.read_text()
        header = re.match(r"# @package (\S+)", text)
        package = header[1] if header else file.parent.relative_to(config_folder()).as_posix()
        prefix = "" if package in ("_global_", ".") else f"{package}."
        found |= set(names(yaml.safe_load(text.replace("???", "0")), prefix))
    return found


@pytest.mark.parametrize("file", PAGES, ids=lambda f: f.relative_to(ROOT).as_posix())
def test_settings_that_a_page_names_exist(file: Path) -> None:
    if file.name == "lab-notes.md":
        return  # which say what was there then
    named = set(SETTING.findall(file.read_text()))
    assert named <= settings_of_pages()


def test_the_drawing_has_the_layers_of_the_contract() -> None:
    drawn = re.findall(r'y="(\d+)" class="name">(\w+)<', architecture.FILE.read_text())
    rows: dict[str, list[str]] = {}
    for height, name in drawn:
        rows.setdefault(height, []).append(name)
    assert list(rows.values()) == architecture.layers(), "python scripts/site/architecture.py"
    packages = {p.parent.name for p in (ROOT / "genlab").glob("*/__init__.py")}
    assert packages <= {name for layer in architecture.layers() for name in layer}


def test_what_the_python_reference_names_exists() -> None:
    named = re.findall(r"^::: (\S+)", "".join(f.read_text() for f in PAGES), re.MULTILINE)
    assert len(named) > 10
    for name in named:
        pkgutil.resolve_name(name)


def test_the_reference_has_every_setting() -> None:
    text = reference.commands()
    for command in COMMANDS:
        assert f"## genlab {command}\n" in text
        for name in reference.abouts(reference.settings_of(command)):
            assert f"| `{name}` |" in text


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    for package in ("mkdocs", "material", "mkdocstrings", "latex2mathml"):
        pytest.importorskip(package, reason=f"{package} is missing: pip install -e '.[docs]'")
    places = (f"--config-file={ROOT / 'mkdocs.yml'}", f"--site-dir={tmp_path / 'site'}")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", *places],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    pages = {file: file.read_text() for file in (tmp_path / "site").rglob("*.html")}
    assert "<math" in pages[tmp_path / "site" / "chapter" / "gans.html"]
    loaded = r'<(?:script|link|img|iframe)[^>]+(?:src|href)="https?://[^"]+\.(?:js|css|png|woff2?)"'
    for text in pages.values():
        assert "arithmatex" not in text, "a formula was not drawn"
        assert not re.search(loaded, text), "the site loads something from the network"


@pytest.mark.parametrize("file", sorted(notebooks.FOLDER.glob("*.ipynb")), ids=lambda f: f.name)
def test_notebooks_run(file: Path, tmp_path: Path, environment, monkeypatch) -> None:
    for package in ("nbclient", "nbformat", "ipykernel"):
        pytest.importorskip(package, reason=f"{package} is missing: pip install -e '.[docs]'")
    script = "import notebooks, sys; notebooks.executed(sys.argv[1], sys.argv[2])"
    path = {"PYTHONPATH": f"{ROOT / 'scripts' / 'site'}:{ROOT}"}
    done = subprocess.run(
        [sys.executable, "-c", script, str(file), str(tmp_path)],
        env={**environment, **path, "IPYTHONDIR": str(tmp_path), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "digits" / "weights.safetensors").is_file()
