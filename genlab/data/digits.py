"""The small handwritten digits that come with scikit-learn."""

import numpy as np

from genlab.data.pixels import fit_arrays
from genlab.data.source import Advance, Annotations, Source


class Digits(Source):
    """1797 grey digits of 8 pixels with the label "label"; needs no files and no network."""

    def count(self) -> int:
        """1797."""
        return 1797

    def write(self, images: np.ndarray, advance: Advance) -> Annotations:
        """Fill `images`, uint8 (1797, C, H, W)."""
        from sklearn.datasets import load_digits

        digits = load_digits()
        pictures = np.round(digits.images * (255 / 16)).astype(np.uint8)
        fit_arrays(pictures, images, advance)
        return Annotations(
            about="1797 handwritten digits (UCI, E. Alpaydin and C. Kaynak 1998), CC BY 4.0",
            labels={"label": digits.target},
            classes={"label": [str(name) for name in digits.target_names]},
        )
