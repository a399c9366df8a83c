"""A classifier that starts from the encoder of an autoencoder's run."""

from genlab.config.encoders import autoencoder_of, with_encoder_of, without_stages
from genlab.config.run import RunConfig
from genlab.errors import CheckpointError, ConfigError
from genlab.learners import Learner, Supervised
from genlab.runs import finding
from genlab.runs.weights import read_weights, tensors_mismatch
from genlab.words import one_of

LAYERS = ("codes", "features")


def with_encoder(config: RunConfig) -> RunConfig:
    """The config with the networks of encoder.run as the classifier's encoder.

    Without pre-trained weights, or without an encoder.run, no stage freezes the encoder.

    Raises:
        ConfigError: the run is not an autoencoder, or was trained on other images.
    """
    wanted = config.encoder
    if wanted is None:
        return config
    one_of("encoder.layer", wanted.layer, LAYERS)
    if wanted.run is None or not wanted.pretrained:
        config = without_stages(config)
    if wanted.run is None:
        return config
    folder = finding.find_run(wanted.run, key="encoder.run")
    theirs = folder.config()
    autoencoder = autoencoder_of(theirs, wanted.layer, f"encoder.run={folder.path}")
    if other := theirs.data.unlike(config.data):
        raise ConfigError(f"encoder.run={folder.path} was trained with {other}: set the same here")
    config = with_encoder_of(config, autoencoder, wanted.layer)
    return config.replaced(encoder={"run": str(folder.path)})


def load_encoder(learner: Learner, config: RunConfig) -> None:
    """Load the weights of encoder.run into a new classifier; CheckpointError if they do not fit."""
    wanted = config.encoder
    if not wanted or not wanted.run or not wanted.pretrained:
        return
    assert isinstance(learner, Supervised)
    folder = finding.find_run(wanted.run, key="encoder.run")
    if not folder.weights.exists():
        raise CheckpointError(
            f"encoder.run={folder.path} has no weights yet: continue it with genlab train "
            f"resume={folder.path}"
        )
    blocks = learner.classifier.encoder.blocks
    last = f"blocks.{len(blocks) - 1}.bottleneck."
    weights = {}
    for name, tensor in read_weights(folder.weights).tensors.items():
        if name.startswith("encoder."):
            weights[name.removeprefix("encoder.")] = tensor
        elif name.startswith("bottleneck.") and wanted.layer == "codes":
            weights[last + name.removeprefix("bottleneck.")] = tensor
    encoder = learner.classifier.encoder
    if problem := tensors_mismatch(weights, encoder.state_dict()):
        raise CheckpointError(f"{folder.weights}: {problem}")
    encoder.load_state_dict(weights)
