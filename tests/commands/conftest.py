"""Tiny runs, trained once for all commands."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="session")
def runs(trained: Callable[..., Path]) -> dict[str, Path]:
    """A tiny VAE and a tiny DCGAN on digits."""
    return {model: trained(f"model={model}", "data=digits") for model in ("vae", "dcgan")}


@pytest.fixture(scope="session")
def conditional(trained: Callable[..., Path]) -> Path:
    """A tiny autoencoder that is told the digits' labels."""
    return trained("model=cvae", "data=digits")


@pytest.fixture(scope="session")
def styled(trained: Callable[..., Path]) -> Path:
    """A tiny StyleGAN on digits of 16 pixels: six layers."""
    size = ["data.resolution=16", "growth=none", "total_images=300"]
    return trained("model=stylegan", "data=digits", *size)


@pytest.fixture(scope="session")
def unlabelled(trained: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny autoencoder with two codes, trained on a few images without labels."""
    folder = tmp_path_factory.mktemp("images")
    pictures = np.random.default_rng(0).integers(0, 255, (40, 8, 8, 3), np.uint8)
    for number, picture in enumerate(pictures):
        Image.fromarray(picture).save(folder / f"{number}.png")
    data = ["data=folder", f"data.path={folder}", "data.resolution=8", "data.batch_size=16"]
    codes = "model.autoencoder.bottleneck.codes=2"
    return trained("model=stacked_autoencoder", *data, codes, "total_images=64")
