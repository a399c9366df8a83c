"""The weights that a run exports for use."""

from pathlib import Path

from safetensors import safe_open
from safetensors.torch import save

from genlab.files import write_atomically
from genlab.learners import Learner


def export_weights(learner: Learner, path: Path) -> None:
    """Write the learner's exported network as safetensors, whole or not at all."""
    tensors = {n: t.detach().cpu().contiguous() for n, t in learner.exported.state_dict().items()}
    content = save(tensors, metadata={"images_seen": str(learner.images_seen)})
    write_atomically(path, lambda file: file.write(content))


def images_seen_of(path: Path) -> int | None:
    """How many images the learner of exported weights had seen; None where there are none."""
    if not path.exists():
        return None
    with safe_open(path, "pt") as file:
        return int(file.metadata()["images_seen"])
