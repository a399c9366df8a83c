"""The reference of commands and of config pages, as Markdown, from what the program itself uses."""

import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from genlab.cli.train_help import help_of_train  # noqa: E402
from genlab.config.pages import description  # noqa: E402
from genlab.settings import COMMANDS, settings_of  # noqa: E402
from genlab.settings.fields import Settings, abouts, default_of  # noqa: E402

CONFIGS = ROOT / "configs"
GROUPS = {
    "model": "a technique: networks, losses, optimizers",
    "networks": "encoder and decoder of an autoencoder",
    "corruption": "what is done to the input of an autoencoder",
    "players": "generator and critic of a GAN",
    "growth": "whether the networks of a GAN grow",
    "remedy": "regularisers and stabilisers of a GAN, one or a list",
    "view": "what of an image a translator is given",
    "translator": "the network that translates images",
    "data": "images to train on",
    "augmentation": "random changes of training images",
    "trainer": "devices, processes, precision",
    "experiment": "whole runs and multiruns that are ready to start",
    "hydra/sweeper": "how the runs of a multirun are chosen",
}


def pages() -> dict[str, str]:
    """The generated pages of the site, by name."""
    return {"reference/commands.md": commands(), "reference/configs.md": configs()}


def commands() -> str:
    """Every command with its settings."""
    lines = ["# Commands", ""]
    lines += [
        "Settings are given as `KEY=VALUE`. `genlab COMMAND --help` says the same on the terminal,",
        "and `genlab schema COMMAND` prints it as a JSON schema for editors. This page comes from",
        "the dataclasses in `genlab/settings`, which also check what you type.",
        "",
        "## genlab train",
        "",
        "```text",
        _wrapped(help_of_train([CONFIGS])),
        "```",
        "",
        "Every setting of every page: [Config pages](configs.md).",
    ]
    for name in COMMANDS:
        lines += ["", *_command(settings_of(name))]
    return "\n".join(lines) + "\n"


def _command(settings: type[Settings]) -> Iterator[str]:
    yield f"## genlab {settings.command}"
    yield ""
    yield f"{_sentence(settings.summary)}"
    yield ""
    yield "```text"
    yield from (f"genlab {settings.command} {words}" for words in settings.usage)
    yield "```"
    yield ""
    yield "| setting | default | what it is for |"
    yield "|---|---|---|"
    for name, about in abouts(settings).items():
        default = "needed" if about.needed else _default(default_of(settings, name))
        unsaid = [word for word in about.kind.choices if word not in about.doc]
        choices = f": {', '.join(about.kind.choices)}" if unsaid else ""
        yield f"| `{name}` | {default} | {_cell(about.doc + choices)} |"
    notes, _, examples = settings.notes.partition("Examples:")
    if notes.strip():
        yield from ("", "```text", notes.strip("\n"), "```")
    if examples.strip():
        yield from ("", "Examples:", "", "```sh", _dedented(examples), "```")


def configs() -> str:
    """Every config page, as it is, by group."""
    where = chapter_places()
    lines = ["# Config pages", ""]
    lines += [
        "A *page* is a YAML file that sets one part of a run. `GROUP=PAGE` on the command line",
        "chooses it, and `KEY=VALUE` changes one setting. `genlab train model=PAGE --cfg job`",
        "prints the whole config that a choice of pages gives. The files below are shown as they",
        "are; the first line of each says what it is.",
        "",
        "## The settings of every run",
        "",
        *_yaml(CONFIGS / "train.yaml"),
    ]
    for group, about in GROUPS.items():
        lines += ["", f"## {group}=", "", _sentence(about)]
        for file in sorted((CONFIGS / group).glob("*.yaml")):
            choice = f"{group}={file.stem}"
            lines += ["", f"### `{choice}`", "", _linked(_cell(description(file)) + ".")]
            if choice in where:
                lines += ["", f"In the chapter: [{where[choice][0]}](../{where[choice][1]})."]
            lines += ["", *_yaml(file)]
    return "\n".join(lines) + "\n"


def chapter_places() -> dict[str, tuple[str, str]]:
    """Headings of the chapter that name a page, as in `model=vae`: title and link, by page."""
    found = {}
    for file in sorted((ROOT / "docs" / "chapter").glob("*.md")):
        for title in re.findall(r"^#+ (.+)$", file.read_text(), re.MULTILINE):
            for choice in re.findall(r"`(\w+=\w+)`", title):
                plain = re.sub(r"\s*\(.*\)$", "", title).replace("`", "")
                found[choice] = (plain, f"chapter/{file.name}#{anchor(title)}")
    return found


def anchor(title: str) -> str:
    """The anchor of a heading, as both this site and GitHub make it."""
    words = re.sub(r"[^\w\s-]", "", title.lower()).strip()
    return re.sub(r"\s", "-", words) if "--" in words else re.sub(r"[\s-]+", "-", words)


def choices() -> set[str]:
    """All GROUP=PAGE that there are."""
    return {f"{g}={file.stem}" for g in GROUPS for file in (CONFIGS / g).glob("*.yaml")}


def _yaml(file: Path) -> list[str]:
    kept = [line for line in file.read_text().splitlines() if not line.startswith("# @package")]
    return ["```yaml", *kept, "```"]


def _wrapped(text: str) -> str:
    """Long lists, as of pages, go on in the next line."""
    lines = (line if len(line) <= 100 else textwrap.fill(line, 96) for line in text.splitlines())
    return "\n".join(lines)


def _default(value: object) -> str:
    if value is None:
        return ""
    shown = str(value).lower() if isinstance(value, bool) else str(value).replace("'", "")
    return f"`{shown}`" if shown else ""


def _cell(text: str) -> str:
    return re.sub(r"([*_<>|\[\]{}])", r"\\\1", text).replace("\n", " ")


def _linked(text: str) -> str:
    return re.sub(r"(https?://[^\s,;)]+[^\s,;).])", r"<\1>", text.replace("\\_", "_"))


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _dedented(text: str) -> str:
    return "\n".join(line.strip() for line in text.strip("\n").splitlines()).strip()
