"""What is known of a data set without loading it: shapes and names, kept beside a run."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genlab.data.image_set import ImageSet
from genlab.errors import CheckpointError

POINTS = (2, 1, 1)
"""The shape of images that are points of the plane: two channels of one pixel."""


@dataclass(frozen=True)
class Description:
    """Shapes and names of a data set.

    Attributes:
        shape: channels, height and width of every image.
        classes: class names by label name, see `ImageSet`.
        about: one line on what the images are and their licence.
    """

    shape: tuple[int, int, int]
    classes: dict[str, list[str]]
    about: str

    @classmethod
    def of(cls, image_set: ImageSet) -> "Description":
        """The description of a set that is loaded."""
        channels, height, width = image_set.images.shape[1:]
        return cls((channels, height, width), image_set.classes, image_set.about)

    @classmethod
    def read(cls, stored: Any, file: Path) -> "Description":
        """What `plain` wrote to the file; CheckpointError for anything else."""
        fields: Mapping[str, Any] = stored if isinstance(stored, Mapping) else {}
        shape: Any = fields.get("shape")
        classes: Any = fields.get("classes")
        about = fields.get("about")
        if not (_is_shape(shape) and _are_classes(classes) and isinstance(about, str)):
            raise CheckpointError(
                f"{file}: not the description of a run's data (shape, classes, about): remove the "
                "file, and the data themselves are read"
            )
        return cls(tuple(shape), classes, about)

    def plain(self) -> dict[str, Any]:
        """The same as JSON's containers."""
        return {"shape": list(self.shape), "classes": self.classes, "about": self.about}


def _is_shape(value: Any) -> bool:
    """Whether the value is three whole numbers above 0."""
    return (
        isinstance(value, list)
        and len(value) == 3
        and all(type(number) is int and number > 0 for number in value)
    )


def _are_classes(value: Any) -> bool:
    """Whether the value is lists of names by name."""
    return isinstance(value, dict) and all(
        isinstance(names, list) and all(isinstance(name, str) for name in names)
        for names in value.values()
    )
