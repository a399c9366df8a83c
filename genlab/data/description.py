"""What is known of a data set without loading it: shapes and names, kept beside a run."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from genlab.data.image_set import ImageSet
from genlab.data.module import ImageData
from genlab.errors import CheckpointError

POINTS = (2, 1, 1)
"""The shape of images that are points of the plane: two channels of one pixel."""

NONE = "none"
"""The class of images without what their label names."""


@dataclass(frozen=True)
class Origin:
    """What names the networks that are trained once on a data set, whatever a run leaves out.

    Attributes:
        fingerprint: of the source, see `Source`.
        images: of the training part, classes included that a run leaves out.
        classes: class names by label name.
    """

    fingerprint: dict[str, Any]
    images: int
    classes: dict[str, list[str]]

    @classmethod
    def of(cls, data: ImageData) -> "Origin":
        """The origin of data that are there."""
        image_set = data.image_set
        training = image_set.split("train", data.parts.validation, data.parts.test)
        return cls(data.source.fingerprint(), len(training), image_set.classes)

    @classmethod
    def read(cls, stored: Any, classes: dict[str, list[str]]) -> "Origin | None":
        """What `plain` gave, of data of these classes; None for anything else."""
        fields: Mapping[str, Any] = stored if isinstance(stored, Mapping) else {}
        fingerprint, images = fields.get("fingerprint"), fields.get("images")
        if not isinstance(fingerprint, dict) or type(images) is not int or images < 1:
            return None
        return cls(fingerprint, images, classes)

    def plain(self) -> dict[str, Any]:
        """The same as JSON's containers, without the classes, which a description has."""
        return {"fingerprint": self.fingerprint, "images": self.images}


@dataclass(frozen=True)
class Description:
    """Shapes and names of a data set.

    Attributes:
        shape: channels, height and width of every image.
        classes: class names by label name, see `ImageSet`.
        about: one line on what the images are and their licence.
        alike: groups of labels that say of every image whether it has one and the same thing, by
            their class "none"; None where the run was started before they were kept.
    """

    shape: tuple[int, int, int]
    classes: dict[str, list[str]]
    about: str
    alike: list[list[str]] | None = None

    @classmethod
    def of(cls, image_set: ImageSet) -> "Description":
        """The description of a set that is loaded."""
        channels, height, width = image_set.images.shape[1:]
        shape = channels, height, width
        return cls(shape, image_set.classes, image_set.about, _alike(image_set))

    @classmethod
    def read(cls, stored: Any, file: Path) -> "Description":
        """What `plain` wrote to the file; CheckpointError for anything else."""
        fields: Mapping[str, Any] = stored if isinstance(stored, Mapping) else {}
        shape: Any = fields.get("shape")
        classes: Any = fields.get("classes")
        about = fields.get("about")
        alike: Any = fields.get("alike")
        if not (
            _is_shape(shape)
            and _are_classes(classes)
            and isinstance(about, str)
            and (alike is None or (isinstance(alike, list) and all(map(_are_names, alike))))
        ):
            raise CheckpointError(
                f"{file}: not the description of a run's data (shape, classes, about): remove the "
                "file, and the data themselves are read"
            )
        return cls(tuple(shape), classes, about, alike)

    def plain(self) -> dict[str, Any]:
        """The same as JSON's containers."""
        return {**asdict(self), "shape": list(self.shape)}


def _is_shape(value: Any) -> bool:
    """Whether the value is three whole numbers above 0."""
    return (
        isinstance(value, list)
        and len(value) == 3
        and all(type(number) is int and number > 0 for number in value)
    )


def _are_classes(value: Any) -> bool:
    """Whether the value is lists of names by name."""
    return isinstance(value, dict) and all(map(_are_names, value.values()))


def _are_names(value: Any) -> bool:
    """Whether the value is a list of names."""
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _alike(image_set: ImageSet) -> list[list[str]]:
    """See `Description.alike`."""
    groups: dict[bytes, list[str]] = {}
    for name, kinds in image_set.classes.items():
        if NONE in kinds:
            held = np.packbits(image_set.labels[name] != kinds.index(NONE))
            groups.setdefault(hashlib.sha256(held.tobytes()).digest(), []).append(name)
    return [names for names in groups.values() if len(names) > 1]
