"""A classifier that starts from the encoder of an autoencoder's run."""

from typing import Any

from genlab.errors import CheckpointError, ConfigError
from genlab.learners import Learner, Supervised
from genlab.runs import finding
from genlab.runs.weights import misfit_of_tensors, read_weights
from genlab.words import one_of

LAYERS = ("codes", "features")


def with_encoder(config: dict[str, Any]) -> dict[str, Any]:
    """The config with the networks of encoder.run in the classifier's place for an encoder.

    Without pre-trained weights, or without an encoder.run, nothing is held still at first.

    Raises:
        ConfigError: the run is no autoencoder, or one for other images.
    """
    wanted = config["encoder"]
    if wanted is None:
        return config
    one_of("encoder.layer", wanted["layer"], LAYERS)
    model = dict(config["model"])
    if wanted["run"] is None or not wanted["pretrained"]:
        model["stages"] = None
    if wanted["run"] is None:
        return {**config, "model": model}
    folder = finding.find(wanted["run"], key="encoder.run")
    theirs = folder.config()
    autoencoder = refuse_useless(theirs, wanted["layer"], f"encoder.run={folder.path}")
    for key in ("resolution", "channels"):
        if theirs["data"][key] != config["data"][key]:
            raise ConfigError(
                f"encoder.run={folder.path} was trained with data.{key}={theirs['data'][key]}: "
                "set the same here"
            )
    encoder, classifier = autoencoder["encoder"], dict(model["classifier"])
    if wanted["layer"] == "codes":
        encoder = {
            "_target_": "genlab.networks.CodeEncoder",
            "encoder": encoder,
            "bottleneck": autoencoder["bottleneck"],
        }
    classifier["activation"] = "linear"  # features and codes have had theirs
    model["classifier"] = {**classifier, "encoder": encoder}
    return {**config, "model": model, "encoder": {**wanted, "run": str(folder.path)}}


def refuse_useless(config: dict[str, Any], layer: str, named: str) -> dict[str, Any]:
    """The autoencoder of a run's config, `named` so; ConfigError where its layer cannot be used."""
    autoencoder: dict[str, Any] | None = config["model"].get("autoencoder")
    if autoencoder is None:
        raise ConfigError(f"{named} is no autoencoder: choose one for its encoder")
    if autoencoder.get("condition") and layer == "codes":
        raise ConfigError(
            f"{named} makes codes of images and labels: set encoder.layer=features, which are "
            "made of images alone"
        )
    return autoencoder


def load_encoder(learner: Learner, config: dict[str, Any]) -> None:
    """Give a new classifier the weights of encoder.run; CheckpointError where they do not fit."""
    wanted = config.get("encoder")
    if not wanted or not wanted["run"] or not wanted["pretrained"]:
        return
    assert isinstance(learner, Supervised)
    folder = finding.find(wanted["run"], key="encoder.run")
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
        elif name.startswith("bottleneck.") and wanted["layer"] == "codes":
            weights[last + name.removeprefix("bottleneck.")] = tensor
    encoder = learner.classifier.encoder
    if problem := misfit_of_tensors(weights, encoder.state_dict()):
        raise CheckpointError(f"{folder.weights}: {problem}")
    encoder.load_state_dict(weights)
