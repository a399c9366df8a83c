"""What `auto` becomes on pages with sizes."""

import pytest
import torch
from test_pages import composed
from torch import nn

from genlab.config.build import build_learner, completed
from genlab.errors import ConfigError


def test_the_paper_has_its_settings_at_full_size() -> None:
    """Karras et al. 2018, appendix A; 2019, appendix C."""
    pro = composed("model=progan", "data.resolution=1024")
    model = pro["model"]
    assert (model["generator"]["latent_size"], model["generator"]["decoder"]["base"]) == (
        512,
        16384,
    )
    assert model["loss"]["drift"] == 0.001
    assert model["penalties"]["gradient"] == {
        "_target_": "genlab.objectives.penalties.GradientPenalty",
        "weight": 10.0,
        "target": 1.0,
        "every": 1,
    }
    assert model["stages"]["fade_images"] == model["stages"]["stable_images"] == 600_000
    expected = {4: 128, 8: 128, 16: 128, 32: 64, 64: 32, 128: 16, 256: 8, 512: 4, 1024: 4}
    assert model["stages"]["batch_sizes"] == expected
    style = composed("model=stylegan", "data.resolution=1024")["model"]
    assert style["stages"]["start"] == 8
    assert style["stages"]["rates"] == {128: 1.5, 256: 2.0, 512: 3.0, 1024: 3.0}
    assert style["penalties"]["r1"]["weight"] == 10.0
    assert style["penalties"]["r1"]["every"] == 1
    assert style["generator"]["decoder"]["mapping_layers"] == 8
    assert style["generator"]["decoder"]["mapping_rate"] == 0.01
    assert "sizes" not in style
    assert "auto" not in str(style)


@pytest.mark.parametrize(
    ("resolution", "batch", "base", "rate"),
    [(128, 32, 16384, 0.0025), (256, 16, 16384, 0.0025), (1024, 4, 32768, 0.002)],
)
def test_stylegan2_follows_from_resolution_and_batch(
    resolution: int, batch: int, base: int, rate: float
) -> None:
    """The `auto` settings of Karras et al. 2020, https://arxiv.org/abs/2006.06676."""
    config = composed("model=stylegan2", f"data.resolution={resolution}")
    model = config["model"]
    assert config["data"]["batch_size"] == batch
    assert model["penalties"]["r1"]["weight"] == pytest.approx(0.0002 * resolution**2 / batch)
    assert model["penalties"]["r1"]["every"] == 16
    assert model["path_length"]["every"] == 4
    assert model["ema_half_life_images"] == batch * 10_000 / 32
    assert model["generator"]["decoder"]["synthesis"]["base"] == base
    assert model["critic"]["encoder"]["base"] == base
    assert model["critic_optimizer"]["lr"] == rate


def test_stylegan2_counts_the_images_of_all_processes() -> None:
    one = composed("model=stylegan2", "data.resolution=256")["model"]
    four = composed("model=stylegan2", "data.resolution=256", processes=4)["model"]
    weights = [model["penalties"]["r1"]["weight"] for model in (one, four)]
    assert weights[0] == pytest.approx(4 * weights[1])
    assert four["ema_half_life_images"] == 4 * one["ema_half_life_images"]


@pytest.mark.parametrize(
    ("resolution", "processes", "batch", "images"),
    [
        (128, 2, 32, 64),
        (128, 8, 8, 64),
        (256, 8, 8, 64),
        (1024, 8, 4, 32),
        (1024, 32, 2, 64),
        (256, 100, 1, 64),  # formulas are made for up to 64
    ],
)
def test_stylegan2_has_at_most_64_images_in_a_step(
    resolution: int, processes: int, batch: int, images: int
) -> None:
    """max(min(processes * min(4096 // resolution, 32), 64), processes) images, as published."""
    config = composed("model=stylegan2", f"data.resolution={resolution}", processes=processes)
    assert config["data"]["batch_size"] == batch
    weight = config["model"]["penalties"]["r1"]["weight"]
    assert weight == pytest.approx(0.0002 * resolution**2 / images)
    assert config["model"]["ema_half_life_images"] == images * 10_000 / 32


def normalisation(*words: str) -> str:
    return composed(*words)["model"]["critic"]["encoder"]["normalisation"]


def test_critics_have_the_normalisation_that_their_remedies_leave_them() -> None:
    assert normalisation("model=dcgan") == "batch"
    assert normalisation("model=dcgan", "remedy=r1") == "batch"
    assert normalisation("model=lsgan", "remedy=spectral_norm") == "none"
    assert normalisation("model=dcgan", "remedy=gradient_penalty") == "layer"
    assert normalisation("model=dcgan", "remedy=[gradient_penalty,spectral_norm]") == "none"
    assert normalisation("model=sngan", "players=narrow") == "none"
    assert normalisation("model=gan", "remedy=gradient_penalty") == "none"  # dense, as before
    mine = "model.critic.encoder.normalisation=batch"
    assert normalisation("model=dcgan", "remedy=gradient_penalty", mine) == "batch"
    for words in (["model=dcgan", mine], ["model=r3gan"], ["model=cyclegan"]):
        with pytest.raises(ConfigError, match=r"undoes what .* set it to none"):
            composed(*words, "remedy=spectral_norm")


def test_nothing_in_a_spectral_critic_divides_by_deviations() -> None:
    config = composed("data=digits", "data.resolution=16", "remedy=spectral_norm")
    critic = build_learner(completed(config)).critic
    kinds = {type(module).__name__ for module in critic.modules()}
    assert not [kind for kind in kinds if "Norm" in kind and "Spectral" not in kind]
    weights = [module.weight for module in critic.modules() if isinstance(module, nn.Conv2d)]
    assert weights
    for weight in weights:
        assert torch.linalg.matrix_norm(weight.flatten(1), 2).item() == pytest.approx(1, abs=0.05)


def test_small_pictures_have_small_networks_unless_asked_for() -> None:
    small = composed("model=stylegan", "data.resolution=64")["model"]["critic"]["encoder"]["base"]
    assert (
        small
        < composed("model=stylegan", "data.resolution=64", "model.size=paper")["model"]["critic"][
            "encoder"
        ]["base"]
    )
    named = composed("model=stylegan_small", "data.resolution=256")["model"]["critic"]["encoder"]
    assert named["base"] == small


def test_settings_of_ones_own_stay() -> None:
    words = ["model=stylegan", "model.generator.latent_size=7", "growth=none"]
    model = composed(*words)["model"]
    assert model["generator"]["latent_size"] == 7
    assert model["generator"]["decoder"]["latent_size"] == 7
    assert model["stages"] is None


def test_unknown_sizes_and_places_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"model.size=large"):
        composed("model=stylegan", "model.size=large")
    with pytest.raises(ConfigError, match=r"there is no model.criticism"):
        composed("model=stylegan", "+model.sizes.small.criticism=1")
