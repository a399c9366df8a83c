"""Edits of images through the latent space of a run."""

from dataclasses import dataclass

from torch import Tensor

from genlab.editing.attributes import having, showing
from genlab.editing.editor import Bench
from genlab.editing.space import Space, space_of
from genlab.errors import ConfigError
from genlab.latent import Step
from genlab.runs.loaded import LoadedRun
from genlab.settings.edit import Edit
from genlab.words import near_miss

COMPONENTS = ("pca", "factorised")


@dataclass(frozen=True)
class Direction:
    """A way through the latent space: what it changes, and the step for every code."""

    name: str
    step: Step


class Editor:
    """Changes images along directions, as `genlab edit` does.

    Args:
        loaded: a run of a model that makes images.
        settings: `codes`, `seed` and `batch_size` of `genlab edit`.
    """

    def __init__(self, loaded: LoadedRun, **settings: int) -> None:
        self._bench = Bench(space_of(loaded), Edit.read(settings))

    @property
    def space(self) -> Space:
        """The styles of a StyleGAN, the latents of other models."""
        return self._bench.space

    def direction(self, name: str, component: int = 1) -> Direction:
        """What changes one thing: found at the first call, which may train a classifier.

        Args:
            name: LABEL (glasses) or LABEL:CLASS (hair:long) of the labels of the data; pca (what
                codes vary in most), or factorised (what a StyleGAN's layers magnify most).
            component: which of those of pca or factorised, from 1.

        Raises:
            ConfigError: there is no such label, class or component.
        """
        if name in COMPONENTS:
            found = self._bench.components(name, component)
            if not 1 <= component <= len(found):
                raise ConfigError(f"component={component} must be from 1 to {len(found)}")
            return Direction(f"{name} {component}", found[component - 1])
        classes = self.space.loaded.description.classes
        if ":" not in name and name not in classes:
            near = near_miss(name, [*COMPONENTS, *classes])
            raise ConfigError(
                f"direction {name}: neither {' nor '.join(COMPONENTS)} nor a label{near}"
            )
        attribute = showing(classes, name) if ":" in name else having(classes, name)
        return Direction(attribute.name, self._bench.change(attribute))

    def move(self, codes: Tensor, direction: Direction, strength: float = 1.0) -> Tensor:
        """Codes (N, layers, n) after `strength` steps from latents (N, n) or codes."""
        return self._bench.stepped(self._codes(codes), direction.step, float(strength))

    def apply(self, codes: Tensor, direction: Direction, strength: float = 1.0) -> Tensor:
        """The images, uint8 (N, C, H, W), of latents (N, n) or codes after `strength` steps."""
        return self._bench.pictures(self.move(codes, direction, strength))

    def _codes(self, codes: Tensor) -> Tensor:
        return self.space.codes(codes) if codes.ndim == 2 else codes
