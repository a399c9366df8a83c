"""Edits of images through the latent space of a run."""

from dataclasses import dataclass

from torch import Tensor

from genlab.editing.attribute_classifier import class_attribute, label_attribute
from genlab.editing.latent_editor import LatentEditor
from genlab.editing.space import LatentSpace, space_of
from genlab.errors import ConfigError
from genlab.latent import LatentDirection
from genlab.runs.loaded import LoadedRun
from genlab.settings.edit import Edit
from genlab.words import near_miss

COMPONENTS = ("pca", "factorised")


@dataclass(frozen=True)
class Direction:
    """A direction of the latent space by its name."""

    name: str
    direction: LatentDirection


class Editor:
    """Edits images along directions of the latent space, as `genlab edit` does.

    Args:
        loaded: a run of a model that makes images.
        settings: `codes`, `seed` and `batch_size` of `genlab edit`.
    """

    def __init__(self, loaded: LoadedRun, **settings: int) -> None:
        self._editor = LatentEditor(space_of(loaded), Edit.read(settings))

    @property
    def space(self) -> LatentSpace:
        """The styles of a StyleGAN, the latents of other models."""
        return self._editor.space

    def direction(self, name: str, component: int = 1) -> Direction:
        """Find the direction that changes one attribute; the first call may train a classifier.

        Args:
            name: LABEL (glasses), LABEL:CLASS (hair:long) or a CLASS that one label alone has, of
                the labels of the data; pca (of most variance of the codes), or factorised
                (amplified most by a StyleGAN's layers).
            component: the number of the component of pca or factorised, from 1.

        Raises:
            ConfigError: there is no such label, class or component.
        """
        if name in COMPONENTS:
            found = self._editor.components(name, component)
            if not 1 <= component <= len(found):
                raise ConfigError(f"component={component} must be from 1 to {len(found)}")
            return Direction(f"{name} {component}", found[component - 1])
        classes = self.space.loaded.description.classes
        owners = [label for label, kinds in classes.items() if name in kinds]
        if len(owners) == 1 and name not in classes:
            name = f"{owners[0]}:{name}"
        if ":" not in name and name not in classes:
            near = near_miss(name, [*COMPONENTS, *classes])
            raise ConfigError(
                f"direction {name}: neither {' nor '.join(COMPONENTS)} nor a label{near}"
            )
        attribute = (
            class_attribute(classes, name) if ":" in name else label_attribute(classes, name)
        )
        return Direction(attribute.name, self._editor.direction_to(attribute))

    def move(self, codes: Tensor, direction: Direction, strength: float = 1.0) -> Tensor:
        """Codes (N, layers, n) moved by `strength` from latents (N, n) or codes."""
        return self._editor.move(self._codes(codes), direction.direction, float(strength))

    def apply(self, codes: Tensor, direction: Direction, strength: float = 1.0) -> Tensor:
        """The images, uint8 (N, C, H, W), of latents (N, n) or codes moved by `strength`."""
        return self._editor.images(self.move(codes, direction, strength))

    def _codes(self, codes: Tensor) -> Tensor:
        return self.space.codes(codes) if codes.ndim == 2 else codes
