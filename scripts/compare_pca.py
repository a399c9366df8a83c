"""A linear autoencoder's run against scikit-learn's PCA of the same images.

    python scripts/compare_pca.py RUN_FOLDER

Printed are the squared error per pixel on [0, 1] of both on the run's training and validation
images, their ratio, and the principal angles between the two subspaces.
"""

import sys

import numpy as np
import torch
from scipy.linalg import subspace_angles
from sklearn.decomposition import PCA

from genlab.data.stream import take
from genlab.runs.loaded import load_run


def main() -> None:
    """Fit, compare, print."""
    loaded = load_run(sys.argv[1], "cpu")
    network = loaded.learner.exported
    data, codes = loaded.data, network.bottleneck.outputs
    pixels = {
        split: loaded.learner.prepare(take(data.image_set, data.indices(split)).images)
        for split in ("train", "validation")
    }
    pca = PCA(codes, svd_solver="full").fit(pixels["train"].flatten(1).numpy())
    for split, images in pixels.items():
        flat = images.flatten(1).numpy()
        rebuilt = pca.inverse_transform(pca.transform(flat))
        theirs = np.square(rebuilt - flat).mean() / 4
        with torch.inference_mode():
            ours = (network(images).output - images).square().mean().item() / 4
        print(f"{split:<11} autoencoder {ours:.6f}   PCA {theirs:.6f}   ratio {ours / theirs:.4f}")
    with torch.inference_mode():
        columns = network.decode(torch.eye(codes)) - network.decode(torch.zeros(1, codes))
    angles = np.degrees(subspace_angles(columns.flatten(1).numpy().T, pca.components_.T))
    print(f"principal angles: largest {angles.max():.2f}, median {np.median(angles):.2f} degrees")


if __name__ == "__main__":
    main()
