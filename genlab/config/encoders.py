"""The encoder of an autoencoder's config, in a classifier's."""

from genlab.config.parts import Tree
from genlab.config.run import RunConfig
from genlab.errors import ConfigError


def autoencoder_of(config: RunConfig, layer: str, named: str) -> Tree:
    """The autoencoder of a run's config, `named` so; ConfigError where its layer cannot be used."""
    autoencoder: Tree | None = config.model.get("autoencoder")
    if autoencoder is None:
        raise ConfigError(f"{named} is no autoencoder: choose one for its encoder")
    if autoencoder.get("condition") and layer == "codes":
        raise ConfigError(
            f"{named} makes codes of images and labels: set encoder.layer=features, which are "
            "made of images alone"
        )
    return autoencoder


def with_encoder_of(config: RunConfig, autoencoder: Tree, layer: str) -> RunConfig:
    """A classifier's config with the networks of an autoencoder up to the layer as its encoder."""
    encoder, classifier = autoencoder["encoder"], dict(config.model["classifier"])
    if layer == "codes":
        encoder = {
            "_target_": "genlab.networks.CodeEncoder",
            "encoder": encoder,
            "bottleneck": autoencoder["bottleneck"],
        }
    classifier["activation"] = "linear"  # features and codes have had theirs
    classifier["encoder"] = encoder
    return config.replaced(model={**config.model, "classifier": classifier})


def without_stages(config: RunConfig) -> RunConfig:
    """A classifier's config of which nothing is held still at first."""
    return config.replaced(model={**config.model, "stages": None})
