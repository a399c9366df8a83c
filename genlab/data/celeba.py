"""CelebA through torchvision."""

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from genlab.data.downloads import data_folders, load
from genlab.data.image_files import opened
from genlab.data.pixels import fit, in_threads, pillow_quiet
from genlab.data.source import Advance, Annotations, Source
from genlab.errors import DataError
from genlab.io.reading import read_text

FOLDER = "celeba"


class CelebA(Source):
    """202 599 aligned photographs of celebrities with 40 attributes, found or downloaded.

    The aligned pictures of 178 x 218 pixels are cropped to their middle. The official test split
    is kept; the official validation images join the training part. The settings alone name the
    pixels, as the set has one version only.
    """

    @cached_property
    def dataset(self) -> Any:
        """torchvision's data set of all three official parts; DataError without its files."""
        folders = data_folders()
        root = next((folder for folder in folders if (folder / FOLDER).is_dir()), folders[0])
        try:
            return load("CelebA", root, split="all", target_type="attr", download=True)
        except DataError as error:
            raise DataError(
                "CelebA is not on this machine: put img_align_celeba/ and the five .txt lists of "
                "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html into the folder "
                f"{FOLDER} of GENLAB_DATA ({error})"
            ) from error

    def count(self) -> int:
        """202 599 in the full set."""
        return len(self.dataset.filename)

    def write(self, images: np.ndarray, advance: Advance) -> Annotations:
        """Fill `images`, uint8 (N, C, H, W), test images last; every attribute is a label."""
        folder = Path(self.dataset.root) / FOLDER
        is_test = self._is_test(folder / "list_eval_partition.txt")
        order = np.argsort(is_test, kind="stable")

        def place(position: int) -> None:
            name = self.dataset.filename[order[position]]
            images[position] = self._picture(folder / "img_align_celeba" / name)

        with pillow_quiet():
            in_threads(place, range(len(order)), advance)
        names = [name for name in self.dataset.attr_names if name]
        values = np.asarray(self.dataset.attr)[order]
        return Annotations(
            about=(
                "CelebA, aligned photographs of celebrities (Z. Liu et al. 2015, "
                "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html), non-commercial research only"
            ),
            labels={name: values[:, column] for column, name in enumerate(names)},
            classes={name: [f"not {name}", name] for name in names},
            test_start=int((~is_test).sum()),
        )

    def _is_test(self, file: Path) -> np.ndarray:
        """Whether each image is of the official test part, bool (N,)."""
        partition = [line.split() for line in read_text(file, DataError, follow=True).splitlines()]
        if [row[0] for row in partition if len(row) == 2] != list(self.dataset.filename):
            raise DataError(f"{file} does not name the images of the other lists; fetch it again")
        return np.array([part == "2" for _, part in partition])

    def _picture(self, file: Path) -> np.ndarray:
        with opened(file, "fetch CelebA again") as image:
            return fit(image, self.resolution, self.channels).pixels
