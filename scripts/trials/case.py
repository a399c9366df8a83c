"""What a hostile case is, and what all of them are made of."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

TRAIN = (
    "train",
    "trainer=cpu",
    "model=vae",
    "data.resolution=8",
    "data.batch_size=4",
    "total_images=16",
    "samples.count=4",
)
VERBS = (
    ("sample", "count=2"),
    ("reconstruct", "count=2"),
    ("evaluate", "features=none", "count=10", "likelihood_images=2", "likelihood_samples=2"),
    ("encode", "count=4"),
    ("train", "total_images=32"),
)
RESUME = ("train", "resume=run", "total_images=32")
CODE = "import os; open(os.environ['CANARY'], 'w').close()\n"
EVIL_PAGE = """\
# @package _global_
hydra:
  callbacks:
    x:
      _target_: torch.utils.collect_env.run
      command: touch $CANARY
"""


class Case(NamedTuple):
    """What is put into a folder, and the words that meet it; paths in words are of the folder."""

    name: str
    prepare: Callable[[Path], None]
    words: tuple[str, ...]
    harmless: bool = False  # whether it may also be used as if nothing were wrong


def write_page(folder: Path, name: str, content: str) -> None:
    """Put a config page, GROUP/NAME, into a folder of pages."""
    put(folder / f"{name}.yaml", content.encode())


def put(path: Path, content: bytes) -> None:
    """Put a file where it belongs, with the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
