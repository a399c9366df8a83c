"""The two sizes of GANs, which one a run has, and values that follow from its data."""

from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf
from test_pages import composed
from torch import nn

from genlab.config.build import build_learner, completed, without_memory
from genlab.config.run import RunConfig
from genlab.errors import ConfigError


def test_the_paper_has_its_settings_at_full_size() -> None:
    """Karras et al. 2018, appendix A; 2019, appendix C."""
    pro = composed("model=progan", "scale=paper", "data.resolution=1024")
    model = pro["model"]
    generator = model["generator"]["network"]
    assert (generator["latent_size"], generator["decoder"]["base"]) == (
        512,
        16384,
    )
    assert model["loss"]["drift"] == 0.001
    assert model["remedies"]["gradient_penalty"] == {
        "_target_": "genlab.remedies.GradientPenalty",
        "weight": 10.0,
        "target": 1.0,
        "every": 1,
    }
    assert model["stages"]["fade_images"] == model["stages"]["stable_images"] == 800_000
    assert model["stages"]["batch_sizes"] == {256: 14, 512: 6, 1024: 3}
    assert pro["data"]["batch_size"] == 16
    style = composed("model=stylegan", "scale=paper", "data.resolution=1024")["model"]
    assert style["stages"]["fade_images"] == style["stages"]["stable_images"] == 600_000
    expected = {4: 128, 8: 128, 16: 128, 32: 64, 64: 32, 128: 16, 256: 8, 512: 4, 1024: 4}
    assert style["stages"]["batch_sizes"] == expected
    assert style["stages"]["start"] == 8
    assert style["stages"]["rates"] == {128: 1.5, 256: 2.0, 512: 3.0, 1024: 3.0}
    assert style["remedies"]["r1"]["weight"] == 10.0
    assert style["remedies"]["r1"]["every"] == 1
    assert style["generator"]["network"]["decoder"]["mapping_layers"] == 8
    assert style["generator"]["network"]["decoder"]["mapping_rate"] == 0.01


@pytest.mark.parametrize(
    ("resolution", "batch", "base", "rate"),
    [(128, 32, 16384, 0.0025), (256, 16, 16384, 0.0025), (1024, 4, 32768, 0.002)],
)
def test_stylegan2_follows_from_resolution_and_batch(
    resolution: int, batch: int, base: int, rate: float
) -> None:
    """The `auto` settings of Karras et al. 2020, https://arxiv.org/abs/2006.06676."""
    config = composed("model=stylegan2", "scale=paper", f"data.resolution={resolution}")
    model = config["model"]
    assert config["data"]["batch_size"] == batch
    assert model["remedies"]["r1"]["weight"] == pytest.approx(0.0002 * resolution**2 / batch)
    assert model["remedies"]["r1"]["every"] == 16
    assert model["generator"]["path_length"]["every"] == 4
    assert model["generator"]["ema_half_life_images"] == batch * 10_000 / 32
    assert model["generator"]["network"]["decoder"]["synthesis"]["base"] == base
    assert model["critic"]["network"]["encoder"]["base"] == base
    assert model["critic"]["optimizer"]["lr"] == rate


def test_stylegan2_counts_the_images_of_all_processes() -> None:
    one = composed("model=stylegan2", "scale=paper", "data.resolution=256")["model"]
    four = composed("model=stylegan2", "scale=paper", "data.resolution=256", processes=4)["model"]
    weights = [model["remedies"]["r1"]["weight"] for model in (one, four)]
    assert weights[0] == pytest.approx(4 * weights[1])
    assert four["generator"]["ema_half_life_images"] == 4 * one["generator"]["ema_half_life_images"]


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
    config = composed(
        "model=stylegan2", "scale=paper", f"data.resolution={resolution}", processes=processes
    )
    assert config["data"]["batch_size"] == batch
    weight = config["model"]["remedies"]["r1"]["weight"]
    assert weight == pytest.approx(0.0002 * resolution**2 / images)
    assert config["model"]["generator"]["ema_half_life_images"] == images * 10_000 / 32


def normalisation(*words: str) -> str:
    return composed(*words)["model"]["critic"]["network"]["encoder"]["normalisation"]


def test_critics_have_the_normalisation_that_their_remedies_leave_them() -> None:
    assert normalisation("model=dcgan") == "batch"
    assert normalisation("model=dcgan", "remedy=r1") == "batch"
    assert normalisation("model=lsgan", "remedy=spectral_norm") == "none"
    assert normalisation("model=dcgan", "remedy=gradient_penalty") == "layer"
    assert normalisation("model=dcgan", "remedy=[gradient_penalty,spectral_norm]") == "none"
    assert normalisation("model=sngan", "players=convolutional") == "none"
    assert normalisation("model=gan", "remedy=gradient_penalty") == "none"  # dense, as before
    mine = "model.critic.network.encoder.normalisation=batch"
    assert normalisation("model=dcgan", "remedy=gradient_penalty", mine) == "batch"
    for words in (["model=dcgan", mine], ["model=r3gan"], ["model=cyclegan"]):
        with pytest.raises(ConfigError, match=r"undoes what .* set it to none"):
            composed(*words, "remedy=spectral_norm")


def test_nothing_in_a_spectral_critic_divides_by_deviations() -> None:
    config = composed("data=digits", "data.resolution=16", "remedy=spectral_norm")
    critic = build_learner(completed(RunConfig.read(config))).critic
    kinds = {type(module).__name__ for module in critic.modules()}
    assert not [kind for kind in kinds if "Norm" in kind and "Spectral" not in kind]
    weights = [module.weight for module in critic.modules() if isinstance(module, nn.Conv2d)]
    assert weights
    for weight in weights:
        assert torch.linalg.matrix_norm(weight.flatten(1), 2).item() == pytest.approx(1, abs=0.05)


def test_settings_of_ones_own_stay() -> None:
    words = ["model=stylegan", "model.generator.network.latent_size=7", "growth=none"]
    model = composed(*words)["model"]
    assert model["generator"]["network"]["latent_size"] == 7
    assert model["generator"]["network"]["decoder"]["latent_size"] == 7
    assert model["stages"] is None


def test_auto_is_the_papers_on_a_gpu_and_small_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """As `trainer.accelerator` chooses; Apple's GPUs are those of laptops."""

    def found(*words: str) -> str:
        return composed("model=dcgan", *words)["scale"]

    for available, mps, expected in (
        (False, False, {"auto": "laptop", "cpu": "laptop"}),
        (False, True, {"auto": "laptop", "mps": "laptop", "cpu": "laptop"}),
        (True, False, {"auto": "paper", "gpu": "paper", "cuda": "paper", "cpu": "laptop"}),
    ):
        monkeypatch.setattr(torch.cuda, "is_available", lambda answer=available: answer)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda answer=mps: answer)
        for accelerator, scale in expected.items():
            assert found(f"trainer.accelerator={accelerator}") == scale
            assert found(f"trainer.accelerator={accelerator}", "scale=paper") == "paper"
            assert found(f"trainer.accelerator={accelerator}", "scale=laptop") == "laptop"


def test_the_papers_of_plain_gans() -> None:
    """DCGAN: section 4 of Radford et al. 2016. The others' are named on their pages."""
    dcgan = composed("model=dcgan", "scale=paper", "data.resolution=64")
    model = dcgan["model"]
    assert dcgan["data"]["batch_size"] == 128
    for player in ("generator", "critic"):
        assert model[player]["optimizer"]["lr"] == 2e-4
        assert model[player]["optimizer"]["betas"] == [0.5, 0.999]
    assert model["generator"]["network"]["latent_size"] == 100
    assert model["generator"]["ema_half_life_images"] == 0
    assert model["remedies"] == {}
    wgan = composed("model=wgan", "scale=paper")["model"]
    assert (wgan["critic"]["optimizer"]["lr"], wgan["critic_steps"]) == (5e-5, 5)
    assert wgan["remedies"]["weight_clipping"]["limit"] == 0.01
    assert wgan["critic"]["network"]["encoder"]["normalisation"] == "batch"
    sngan = composed("model=sngan", "scale=paper")["model"]
    assert (sngan["generator"]["network"]["latent_size"], sngan["critic_steps"]) == (128, 5)
    assert sngan["rate"]["images"] == 100_000 * 5 * 64
    dragan = composed("model=dragan", "scale=paper")["model"]["remedies"]["dragan"]
    assert (dragan["weight"], dragan["every"]) == (10, 1)
    for page in ("stylegan", "stylegan2"):
        config = composed(f"model={page}", "scale=paper", "data.resolution=256")
        assert config["total_images"] == 25_000_000


def parameters(*words: str) -> list[float]:
    """Millions of parameters of generator and critic, which take no memory."""
    learner = without_memory(
        completed(RunConfig.read(composed("scale=paper", "data=digits", *words))).model
    )
    players = (learner.generator.network, learner.critic.network)
    return [sum(p.numel() for p in player.parameters()) / 1e6 for player in players]


def test_networks_of_the_paper_have_the_papers_parameters() -> None:
    """Tables 2 of Karras et al. 2018, 1 and 2 of 2019; DCGAN's from figure 1 of Radford et al."""
    large = ("data.resolution=1024", "data.channels=3")
    assert parameters("model=progan", *large) == pytest.approx([23.1, 23.1], abs=0.05)
    assert parameters("model=stylegan", *large) == pytest.approx([26.2, 23.1], abs=0.05)
    assert parameters("model=stylegan2", *large) == [30.370060, 29.012513]  # its code's own count
    first = 100 * 1024 * 4 * 4
    halvings = 16 * (1024 * 512 + 512 * 256 + 256 * 128 + 128 * 3) + 3
    normalisations = 2 * (1024 + 512 + 256 + 128)
    generator = parameters("model=dcgan", "data.resolution=64", "data.channels=3")[0]
    assert generator == pytest.approx((first + halvings + normalisations) / 1e6, abs=1e-6)


def test_formulas_are_for_the_settings_that_name_them() -> None:
    """A setting of a penalty or a base of one's own is not StyleGAN2's."""
    mine = "+model.critic.network.across.mine.base=auto"
    words = ("model=stylegan2", "scale=paper", "remedy=r2", mine)
    model = composed(*words, "data.resolution=256")["model"]
    assert model["remedies"]["r2"]["weight"] == 10
    assert model["critic"]["network"]["across"]["mine"]["base"] == "auto"


def test_values_of_ones_own_go_before_the_scales() -> None:
    words = ("model.generator.optimizer.lr=3e-4", "model.critic.network.encoder.width=24")
    for scale in ("laptop", "paper"):
        config = composed("model=dcgan", f"scale={scale}", *words, "total_images=77")
        assert config["model"]["generator"]["optimizer"]["lr"] == 3e-4
        assert config["model"]["critic"]["network"]["encoder"]["width"] == 24
        assert config["total_images"] == 77


def test_pages_with_one_size_take_any_scale() -> None:
    for page in ("vae", "cyclegan", "classifier"):
        laptop, paper = (composed(f"model={page}", f"scale={s}") for s in ("laptop", "paper"))
        assert (laptop.pop("scale"), paper.pop("scale")) == ("laptop", "paper")
        assert laptop == paper


def test_a_page_of_before_is_told_what_to_write(genlab, tmp_path: Path) -> None:
    page = tmp_path / "pages" / "model" / "mine.yaml"
    page.parent.mkdir(parents=True)
    page.write_text("# @package _global_\ndefaults: [stylegan]\nmodel: {size: small}\n")
    code, _, err = genlab("train", "model=mine", f"--config-dir={tmp_path / 'pages'}")
    assert (code, err.count("\n")) == (2, 1)
    assert "scale=laptop" in err


def test_pages_of_ones_own_have_scales(genlab, tmp_path: Path) -> None:
    page = tmp_path / "pages" / "model" / "mine.yaml"
    page.parent.mkdir(parents=True)
    lines = ["# @package _global_", "defaults: [dcgan]", "model: {rate: '${scale:0.25,0.5}'}"]
    page.write_text("\n".join(lines))
    words = ["model=mine", f"--config-dir={tmp_path / 'pages'}", "scale=paper"]
    code, out, err = genlab("train", *words, "--cfg", "job", "--resolve")
    assert (code, err) == (0, "")
    assert "rate: 0.25" in out
    page.write_text("\n".join([*lines[:2], "model: {rate: '${scale:${oc.env:HOME},0.5}'}"]))
    code, _, err = genlab("train", *words, "--cfg", "job")
    assert code == 2
    assert str(page) in err


def test_a_run_records_its_scale_and_keeps_it(genlab, tmp_path: Path) -> None:
    small = ["data=digits", "data.resolution=8", "data.batch_size=16", "samples.count=4"]
    run = tmp_path / "run"
    place = [f"hydra.run.dir={run}", "trainer=cpu", "total_images=32"]
    code, _, err = genlab("train", "model=dcgan", *small, *place)
    assert (code, err) == (0, "")
    assert OmegaConf.load(run / "config.yaml").scale == "laptop"
    assert "scale: laptop (small networks" in (run / "train.log").read_text()
    code, _, err = genlab("train", f"resume={run}", "scale=paper")
    assert code == 2
    assert "scale=paper: the run was started with scale=laptop" in err
    again = ["model=dcgan", *small, *place[:2], "total_images=64", "resume=auto"]
    code, _, err = genlab("train", *again, "scale=paper", "trainer=cpu")
    assert code == 4
    assert "for example scale=laptop" in err
    # A run of an older version has no scale.
    config = OmegaConf.load(run / "config.yaml")
    del config["scale"]
    OmegaConf.save(config, run / "config.yaml")
    assert genlab("train", f"resume={run}", "total_images=48")[0] == 0
    assert "scale" not in OmegaConf.load(run / "config.yaml")
    assert genlab("train", *again)[0] == 0
    assert genlab("sample", f"run={run}", "count=2")[0] == 0
