"""Further training images from an array file, such as `genlab sample format=npz` writes."""

from pathlib import Path

import numpy as np

from genlab.data.image_set import ImageSet
from genlab.errors import ConfigError, DataError
from genlab.io.arrays import read_npz


def extended(image_set: ImageSet, indices: np.ndarray, path: str) -> ImageSet:
    """The images at `indices`, (n,), followed by those of the file, with the labels of all.

    The file holds "images", uint8 (N, H, W, C), with "labels" (N,) for the label named "label" and
    "labels/NAME" for others; pictures need every label of the set.

    Raises:
        DataError: the file cannot be read.
        ConfigError: its images are not of the set's kind.
    """
    file = Path(path).expanduser()
    keys = {name: "labels" if name == "label" else f"labels/{name}" for name in image_set.labels}
    added = read_npz(file, DataError, ["images", *keys.values()])
    images = added.get("images")
    shape = (image_set.resolution, image_set.resolution, image_set.channels)
    if images is None or images.dtype != np.uint8 or images.shape[1:] != shape or not len(images):
        raise ConfigError(
            f"data.extra={path} must hold images of {shape[0]} x {shape[1]} pixels and {shape[2]} "
            "channel(s) as uint8: make it with genlab sample format=npz from a model of these data"
        )
    labels = {}
    for name, values in image_set.labels.items():
        told = added.get(keys[name])
        if told is None:
            raise ConfigError(f"data.extra={path} does not say the label {name} of its images")
        if told.shape != images.shape[:1] or told.dtype.kind not in "iu":
            raise ConfigError(f"data.extra={path}: {name} is not a whole number for each image")
        if told.min() < 0 or told.max() >= len(image_set.classes[name]):
            raise ConfigError(f"data.extra={path}: {name} has other classes than the data set")
        labels[name] = np.concatenate([values[indices], told.astype(np.int64)])
    pixels = np.concatenate([image_set.images[indices], images.transpose(0, 3, 1, 2)])
    return ImageSet(pixels, labels, image_set.classes, image_set.about, None)
