"""Command lines that nobody would type, and some that anybody might."""

import inspect
import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from genlab.config.pages import config_folder
from genlab.config.parts import flatten
from genlab.config.schema import register_schema
from genlab.config.targets import locate
from genlab.settings import COMMANDS, settings_of
from genlab.settings.fields import abouts, default_of
from trials.forked import Outcome, run

LIMIT = 60.0  # seconds
KNOWN = (0, 2, 3, 4, 5, 6, 7)  # exit codes
LONGEST = 308  # of a line: 300 characters behind "genlab: "
PLAIN = [
    each for each in COMMANDS if each not in ("models", "data", "runs")
]  # that work with a run
GROUPS = ["augmentation", "growth", "players", "remedy", "trainer", "view", "translator"]
NUMBERS = [
    "-1",
    "0",
    "1",
    "2",
    "3",
    "7",
    "0.5",
    "1.5",
    "-0.5",
    "1e30",
    "1e-30",
    "nan",
    "inf",
    "-inf",
    "1e400",
    "9007199254740993",
    "1000000000",
    "100000",
    "99999999999999999999999999",
    "1e3",
]
WORDS = (
    *[
        "true",
        "false",
        "null",
        "nope",
        "''",
        "auto",
        "[]",
        "[0.5]",
        "[1,2]",
        "[1,2,3]",
        "{}",
        "-0",
        "{a:1}",
        "[[1]]",
        "[a,b]",
        "[null]",
        "été",
    ],
    *[
        "0x10",
        "1_000",
        "none",
        "/dev/null/nowhere",
        "all",
        "'1'",
        "${seed}",
        "last",
        "1,2",
        "linear",
        "batch",
        "4611686018427387904",
    ],
    "x y",
    "{_target_:genlab.schedules.Ramp,end:-1,images:10}",
    "{_target_:genlab.schedules.Constant,value:nan}",
)
TINY = [
    "total_images=48",
    "data.batch_size=16",
    "samples.count=4",
    "trainer.accelerator=cpu",
    "samples.every_images=1000",
    "log.validate_every_images=100000",
]


class Material(NamedTuple):
    """What lines are made of: a folder of each run by name, a picture."""

    runs: Mapping[str, str]
    picture: str


class Typed(NamedTuple):
    """A command line, and what was wrong with how it ended."""

    done: str
    wrong: str


def typed(words: list[str], folder: Path) -> Typed:
    """Run a command line in an empty folder."""
    words = [word.replace("out=OUT", f"out={folder}/out") for word in words]
    if words[0] == "train" and not any(word.startswith("hydra.") for word in words):
        words = [*words, f"hydra.run.dir={folder}/run"]
    outcome = run(words, folder, limit=LIMIT)
    said = " ".join(word for word in words if word not in TINY)
    return Typed(f"exit {outcome.code}: {said} | {outcome.line[:100]}", "; ".join(faults(outcome)))


def lines(seed: int, count: int, material: Material) -> Iterator[list[str]]:
    """`count` command lines, the same for the same seed and pages."""
    draw = random.Random(seed)
    settings = _Settings()
    for _ in range(count):
        train = draw.random() < 0.6
        yield _train(draw, settings) if train else _command(draw, settings, material)


class _Settings:
    """The settings of every command, and of `train` with each model page, with usual values."""

    def __init__(self) -> None:
        register_schema()
        self._found: dict[tuple[str, ...], dict[str, Any]] = {}

    def of(self, command: str, *pages: str) -> dict[str, Any]:
        """Values by name; names of arguments that pages leave out begin with a plus."""
        if (command, *pages) not in self._found:
            self._found[command, *pages] = _of_train(*pages) if pages else _of_command(command)
        return self._found[command, *pages]


def _of_train(*pages: str) -> dict[str, Any]:
    with initialize_config_dir(str(config_folder()), version_base="1.3"):
        composed: Any = OmegaConf.to_container(compose("train", list(pages)))
    composed.pop("hydra", None)
    values = dict(flatten(composed))
    inner = {name.rpartition(".")[0]: {} for name in values if "." in name}
    return {**inner, **values, **dict(_left_out(composed, ""))}


def _of_command(command: str) -> dict[str, Any]:
    kind = settings_of(command)
    return {name: default_of(kind, name) for name in abouts(kind)}


def _left_out(node: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Arguments of what pages name that they do not give, with their defaults."""
    if not isinstance(node, dict):
        return
    for key, value in node.items():
        yield from _left_out(value, f"{path}.{key}" if path else str(key))
    if "_target_" in node:
        for name, argument in inspect.signature(locate(node["_target_"])).parameters.items():
            if name not in node and argument.default is not argument.empty:
                yield f"+{path}.{name}", argument.default


def _train(draw: random.Random, settings: _Settings) -> list[str]:
    model = draw.choice(_pages("model"))
    data = "digits"
    tiny = [*TINY, "data.resolution=8"]
    words = [f"model={model}", f"data={data}", *tiny]
    names = settings.of("train", f"model={model}", f"data={data}")
    if draw.random() < 0.3:
        group = draw.choice(GROUPS)
        value = draw.choice([*_pages(group), "nope", "null", "[]"])
        words.append(f"{group}={value}")
    return ["train", *words, *_odd(draw, names)]


def _command(draw: random.Random, settings: _Settings, material: Material) -> list[str]:
    command = draw.choice(PLAIN)
    small = {
        "evaluate": ["count=20", "features=none", "probe_images=20", "likelihood_images=4"],
        "edit": ["codes=40", "check=20", "settle=2", "seeds=0-1"],
        "project": ["steps=2", "draws=4", f"image={material.picture}"],
        "inpaint": ["steps=2", "draws=4", f"image={material.picture}"],
        "upscale": [f"image={material.picture}"],
        "translate": [f"image={material.picture}"],
        "visualise": ["count=20", "methods=[pca]", "tensorboard=false"],
        "score": ["count=20", "normal_images=20"],
        "compare": ["runs=[" + ",".join(list(material.runs.values())[:2]) + "]"],
        "encode": ["count=20"],
        "interpolate": ["count=2", "steps=3"],
        "mix": ["rows=2", "columns=2"],
        "sample": ["count=4"],
        "reconstruct": ["count=4"],
    }[command]
    wanted = {"upscale": "srgan", "translate": "pix2pix", "mix": "stylegan"}.get(command)
    words = [*small, "out=OUT"]
    if command != "compare":
        run = material.runs[wanted or draw.choice(list(material.runs))]
        words += [f"run={run}", "accelerator=cpu"]
    return [command, *words, *_odd(draw, settings.of(command))]


def _odd(draw: random.Random, usual: Mapping[str, Any]) -> list[str]:
    """One to three settings that may make no sense."""
    words = []
    names = [name for name in usual if name not in _LONG]
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        name = draw.choice(names)
        number = isinstance(usual[name], int | float) and not isinstance(usual[name], bool)
        value = draw.choice(NUMBERS if draw.random() < (0.85 if number else 0.25) else WORDS)
        kind = draw.random()
        if kind < 0.06:
            name = _typo(draw, name)
        elif kind < 0.12:
            parent = name.lstrip("+").rpartition(".")[0]
            name = "+" + draw.choice((f"{parent}.nope".lstrip("."), "nope", "a.b"))
        elif kind < 0.15 and name[0] != "+":
            words.append(f"~{name}")
            continue
        words.append(f"{name}={value}")
    return words


_LONG = ["trainer.compile", "evaluate.every_images", "total_images"]  # minutes, rightly


def _typo(draw: random.Random, name: str) -> str:
    place = draw.randrange(len(name))
    return draw.choice((name[:place] + name[place + 1 :], name[:place] + "x" + name[place:]))


def _pages(group: str) -> list[str]:
    return sorted(file.stem for file in (config_folder() / group).glob("*.yaml"))


def faults(outcome: Outcome) -> Iterator[str]:
    """Promises that an ended command line broke."""
    if outcome.code is None:
        yield "ran past the limit"
    elif outcome.code not in KNOWN:
        yield f"exit code {outcome.code}: {outcome.line}"
    if "Traceback" in outcome.output:
        yield "a traceback"
    told = [line for line in outcome.output.splitlines() if line.startswith("genlab: ")]
    if outcome.code and len(told) != 1:
        yield f"{len(told)} lines say what is wrong"
    yield from (f"a line of {len(line)} characters" for line in told if len(line) > LONGEST)


def material(folder: Path) -> Material:
    """Tiny trained runs of several kinds, and a picture."""
    from PIL import Image

    picture = folder / "picture.png"
    Image.linear_gradient("L").resize((8, 8)).save(picture)
    runs = {}
    for model in ("vae", "dcgan", "cvae", "stylegan", "srgan", "pix2pix"):
        runs[model] = str(folder / model)
        words = [f"model={model}", "data=digits", "data.resolution=8", *TINY]
        outcome = run(["train", *words, f"hydra.run.dir={runs[model]}"], folder)
        if outcome.code:
            raise RuntimeError(outcome.output)
    return Material(runs, str(picture))
