"""CIFAR-10 through torchvision."""

from typing import Any

import numpy as np

from genlab.data.downloads import data_folders, load
from genlab.data.pixels import fit_arrays
from genlab.data.source import Advance, Annotations, Source
from genlab.errors import DataError

FOLDER = "cifar-10-batches-py"


class Cifar10(Source):
    """60 000 colour photographs of 32 pixels in ten classes, found or downloaded.

    torchvision checks every file against a known sum, so that the settings alone name the pixels.
    """

    def count(self) -> int:
        """60 000."""
        return 60_000

    def write(self, images: np.ndarray, advance: Advance) -> Annotations:
        """Fill `images`, uint8 (60000, C, H, W), training images first."""
        parts = [_part(train) for train in (True, False)]
        fit_arrays(np.concatenate([part.data for part in parts]), images, advance)
        return Annotations(
            about="CIFAR-10, photographs (A. Krizhevsky 2009), no licence stated",
            labels={"label": np.concatenate([part.targets for part in parts])},
            classes={"label": list(parts[0].classes)},
            test_start=len(parts[0].data),
        )


def _part(train: bool) -> Any:
    folders = data_folders()
    root = next((folder for folder in folders if (folder / FOLDER).is_dir()), folders[0])
    try:
        return load("CIFAR10", root, train=train, download=True)
    except DataError as error:
        raise DataError(
            f"CIFAR-10 is not on this machine: put the folder {FOLDER} of "
            "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz into GENLAB_DATA or connect "
            f"to the network for the download ({error})"
        ) from error
