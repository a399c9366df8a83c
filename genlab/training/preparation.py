"""What a run is made of, checked before anything is trained or written."""

from typing import NamedTuple

from genlab.config.build import build_data, build_learner, refuse_unpacked, without_memory
from genlab.config.run import RunConfig
from genlab.data.module import ImageData
from genlab.devices import keep_big_blocks
from genlab.errors import CheckpointError
from genlab.learners import Learner
from genlab.runs.checkpoints import LoadedCheckpoint, newest_valid
from genlab.runs.run_folder import RunFolder
from genlab.runs.weights import tensors_mismatch
from genlab.training.rank_state import refuse_other_ranks
from genlab.training.restoring import refuse_misfit


class Parts(NamedTuple):
    """The data and learner of a run, and the checkpoint that it continues from."""

    data: ImageData
    learner: Learner
    checkpoint: LoadedCheckpoint | None


def prepare_run(config: RunConfig, folder: RunFolder, world: int) -> Parts:
    """Build the parts of a run of `world` processes; raises errors of any of them."""
    checkpoint = newest_valid(folder.checkpoints)
    if folder.saved and not checkpoint:
        raise CheckpointError(
            f"{folder.path} has no checkpoint that can be loaded: start again in a new folder"
        )
    keep_big_blocks()
    data = build_data(config)
    data.refuse_unfilled(world)
    if checkpoint:
        _refuse_other_shapes(checkpoint, config)
    learner = build_learner(config)
    # Training builds its own optimizers; these reveal wrong settings and check the checkpoint.
    optimizers = learner.optimizers_of_players()
    refuse_unpacked(learner, data.batches.batch_size)
    if checkpoint:
        refuse_misfit(checkpoint, learner, optimizers)
        refuse_other_ranks(checkpoint, learner, world, config.allow_changes)
    return Parts(data, learner, checkpoint)


def _refuse_other_shapes(checkpoint: LoadedCheckpoint, config: RunConfig) -> None:
    """Raise CheckpointError for weights of other networks, before memory is allocated."""
    try:
        expected = without_memory(config.model).state_dict()
        problem = tensors_mismatch(checkpoint.state["state_dict"], expected)
    except Exception:  # then it is compared later, with the networks themselves
        return
    if problem:
        raise CheckpointError(f"{checkpoint.path}: {problem}")
