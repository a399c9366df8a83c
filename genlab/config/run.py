"""A run's config as attributes: built once, from a resolved page or a stored config.yaml.

Model and source are trees: signatures of what they name with `_target_` are their schema, and
`genlab.config.build` is what reads them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from genlab.bounds import WHITE_LEVEL
from genlab.config.parts import Tree, read_part
from genlab.processes.store import TIMEOUT_SECONDS

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

# Defaults are those of the packaged pages. They count for runs that are older than a setting, and
# for pages of users that leave it out.


@dataclass(frozen=True, kw_only=True)
class Data:
    """The images of a run; a page may have further settings of its own.

    Attributes:
        plain: all of it as config.yaml has it.
        source: where images come from, see `Source`; the others are those of `ImageData`.
        white_level: white in images of 16 bits, for pages of image files.
    """

    plain: Tree
    source: Tree
    resolution: int
    channels: int
    validation: float
    test: float
    flip: bool
    batch_size: int
    in_memory_gb: float
    labels_per_class: int | None = None
    balanced: str | None = None
    leave_out: Any = None
    crop: int = 0
    extra: str | None = None
    white_level: int = WHITE_LEVEL

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of every image."""
        return self.channels, self.resolution, self.resolution

    def unlike(self, other: "Data") -> str:
        """The setting by which images are of another shape than the other's; "" for none."""
        for name in ("resolution", "channels"):
            if getattr(self, name) != getattr(other, name):
                return f"data.{name}={getattr(self, name)}"
        return ""


PAGE_OWN = ("white_level",)
"""Of `Data`, what only some pages have."""


@dataclass(frozen=True, kw_only=True)
class Trainer:
    """Where and how a run computes."""

    accelerator: str = "auto"
    devices: int | str = 1
    num_nodes: int = 1
    precision: str = "auto"
    channels_last: bool | str = "auto"
    compile: bool = False
    timeout_seconds: float = TIMEOUT_SECONDS


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """When a run saves."""

    every_images: int | None = None
    every_minutes: float | None = 2
    keep: int = 2


@dataclass(frozen=True, kw_only=True)
class Samples:
    """The grids of pictures; every so many images, or `auto`, see `growing_interval`."""

    every_images: int | str = "auto"
    count: int = 64


@dataclass(frozen=True, kw_only=True)
class Evaluate:
    """Whether, and how, samples are scored while a run trains."""

    every_images: int | None = None
    count: int = 2_000
    features: str = "auto"


@dataclass(frozen=True, kw_only=True)
class Log:
    """The rows of metrics."""

    every_images: int = 5_000
    validate_every_images: int = 50_000


@dataclass(frozen=True, kw_only=True)
class Encoder:
    """The autoencoder that a classifier starts from: a run, or a page to train first."""

    run: str | None = None
    page: str | None = None
    overrides: list[str] | None = None
    total_images: int = 1_000_000
    pretrained: bool = True
    layer: str = "codes"


@dataclass(frozen=True, kw_only=True)
class Generator:
    """The model that makes further training images: a run, or a page to train first."""

    run: str | None = None
    page: str | None = None
    overrides: list[str] | None = None
    total_images: int = 60_000
    ratio: float = 0


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a multirun is summed up as: a `table` of metrics, or a `metric` as curves."""

    table: list[str] | None = None
    metric: str = ""
    across: str = ""
    curves: list[str] = field(default_factory=list)
    baseline: str | None = None

    @property
    def settings(self) -> list[str]:
        """What it needs to know of each run, by dotted name."""
        return [self.across, *self.curves, "seed"]

    def placed(self, settings: Mapping[str, Any]) -> tuple[str, Any, Any]:
        """Where a run with such settings counts: its curve's name, the place on it, the seed."""
        name = ", ".join(f"{key}={settings.get(key)}" for key in self.curves)
        return name, settings.get(self.across), settings["seed"]

    @property
    def plain(self) -> Tree:
        """The same as a config has it."""
        return {f.name: value for f in fields(self) if (value := getattr(self, f.name))}


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """Everything that a run is told.

    Attributes:
        plain: all of it as config.yaml has it, without defaults for what that lacks.
        scale: laptop or paper, "" for runs from before there was one.
        total_images: its length, 0 where that is unknown.
    """

    plain: Tree
    model: Tree
    data: Data
    trainer: Trainer
    encoder: Encoder | None = None
    generator: Generator | None = None
    report: Report | None = None
    objective: str | None = None
    seed: int
    scale: str = ""
    total_images: int = 0
    max_minutes: float | None = None
    resume: str | None = None
    allow_changes: bool = False
    checkpoint: Checkpoint = field(default_factory=Checkpoint)
    samples: Samples = field(default_factory=Samples)
    log: Log = field(default_factory=Log)
    evaluate: Evaluate = field(default_factory=Evaluate)

    @classmethod
    def read(cls, plain: Tree) -> "RunConfig":
        """The config of a resolved tree; ConfigError for what is missing or of another type."""
        parts: Tree = {
            name: read_part(kind, plain[name], name)
            for name, kind in PARTS.items()
            if plain.get(name) is not None
        }
        return read_part(cls, {**plain, **parts}, plain=plain)

    @property
    def kind(self) -> str:
        """The class of its learner."""
        return _class_of(self.model)

    @property
    def view(self) -> str:
        """The class of what its translator starts from, "" without one."""
        return _class_of(self.model.get("view"))

    @property
    def ema_half_life_images(self) -> Any:
        """Half-life of the averaged networks; None for models that have none."""
        players = (self.model.get(name) for name in ("generator", "translator", "translators"))
        return next((each.get("ema_half_life_images") for each in players if each), None)

    def replaced(self, **entries: Any) -> "RunConfig":
        """The same with other entries; data, encoder and generator keep their others."""
        merged = {
            name: {**self.plain[name], **value} if name in _PARTLY else value
            for name, value in entries.items()
        }
        return RunConfig.read({**self.plain, **merged})


_PARTLY = ("data", "encoder", "generator")
PARTS: dict[str, type["DataclassInstance"]] = {
    "data": Data,
    "trainer": Trainer,
    "encoder": Encoder,
    "generator": Generator,
    "report": Report,
    "checkpoint": Checkpoint,
    "samples": Samples,
    "log": Log,
    "evaluate": Evaluate,
}


def _class_of(node: Any) -> str:
    target = node.get("_target_") if isinstance(node, dict) else None
    return target.rpartition(".")[2] if isinstance(target, str) else ""
