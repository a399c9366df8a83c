"""Every page composes and checks; every model page trains two steps through the command line."""

import json
from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from genlab.config.build import build_learner, completed
from genlab.config.pages import config_folder, description
from genlab.config.parts import names_of
from genlab.config.run import PAGE_OWN, Data, RunConfig
from genlab.config.scale import scaled
from genlab.config.schema import check, register_schema
from genlab.errors import ConfigError


def pages(group: str) -> list[str]:
    return sorted(file.stem for file in (config_folder() / group).glob("*.yaml"))


def composed(*overrides: str, processes: int = 1) -> dict:
    register_schema()
    with initialize_config_dir(str(config_folder()), version_base="1.3"):
        config = compose("train", overrides=list(overrides))
    return scaled(config, processes)


@pytest.mark.parametrize("model", pages("model"))
@pytest.mark.parametrize("data", ["digits", "fashion_mnist", "avatars"])
def test_models_compose_and_check_with_data(model: str, data: str) -> None:
    check(composed(f"model={model}", f"data={data}"))


@pytest.mark.parametrize("data", pages("data"))
def test_data_pages_share_their_settings(data: str) -> None:
    named = {"two_folders": ["data.first=/a", "data.second=/b"]}
    text = (config_folder() / "data" / f"{data}.yaml").read_text()
    place = ["data.path=/images"] if "\npath: ???" in text else []
    config = composed(f"data={data}", *named.get(data, place))
    check(config)
    assert set(names_of(Data)) - set(PAGE_OWN) - {"balanced"} <= set(config["data"])
    assert RunConfig.read(config).data.shape == tuple(
        config["data"][key] for key in ("channels", "resolution", "resolution")
    )


@pytest.mark.parametrize("trainer", pages("trainer"))
def test_trainer_pages_compose(trainer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)  # as trainer=gpu asks
    assert composed(f"trainer={trainer}")["trainer"]["devices"] in (1, "auto")


@pytest.mark.parametrize("experiment", pages("experiment"))
def test_experiment_pages_compose_and_check(experiment: str) -> None:
    check(composed(f"experiment={experiment}"))


GROUPS = (
    *("model", "players", "translator", "view", "remedy"),
    *("data", "augmentation", "trainer", "experiment"),
)
TRANSLATORS = ("context_encoder", "cyclegan", "pix2pix", "srgan")


@pytest.mark.parametrize("group", GROUPS)
def test_every_page_says_what_it_is(group: str) -> None:
    for page in pages(group):
        assert len(description(config_folder() / group / f"{page}.yaml")) > 20, page


@pytest.mark.parametrize("model", pages("model"))
def test_models_train_two_steps(genlab, tmp_path: Path, model: str) -> None:
    data = ["data=digits"]
    if model == "cyclegan":  # between two kinds of images
        data = ["data=avatar_styles", "data.first_count=30", "data.second_count=20"]
        data.append("data.resolution=16")
    if model == "wgan_gp":  # its generator learns in every fifth step, else
        data.append("model.critic_steps=2")
    code, out, err = genlab(
        "train",
        f"model={model}",
        *data,
        "data.batch_size=16",
        "total_images=32",
        "samples.count=4",
        "trainer=cpu",
        f"hydra.run.dir={tmp_path}/run",
    )
    assert (code, err) == (0, "")
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert summary["images_seen"] == 32
    assert (tmp_path / "run" / "weights.safetensors").exists()
    assert "run folder" in out


@pytest.mark.parametrize("model", ["cgan", "acgan", "progan"])
def test_remedies_go_with_labels_and_with_growth(genlab, tmp_path: Path, model: str) -> None:
    # The Wasserstein loss has no labels.
    none = ["flipped_labels", "label_smoothing"] if model == "progan" else []
    remedies = [name for name in pages("remedy") if name not in none]
    words = [f"model={model}", f"remedy=[{','.join(remedies)}]", "data=digits"]
    words += [
        "data.resolution=8",
        "model.remedies.replay.size=50",
        "total_images=300",
        "trainer=cpu",
    ]
    if model == "progan":
        words += ["model.stages.stable_images=100", "model.stages.fade_images=50"]
    code, _, err = genlab("train", *words, f"hydra.run.dir={tmp_path}/run")
    assert (code, err) == (0, "")


@pytest.mark.parametrize("players", pages("players"))
@pytest.mark.parametrize("remedy", pages("remedy"))
def test_every_remedy_goes_with_any_networks(remedy: str, players: str) -> None:
    words = [f"players={players}", f"remedy=[{remedy},packing]", "data=digits"]
    config = composed("model=lsgan", *words, "data.resolution=16")
    check(config)
    images = torch.rand(4, 1, 16, 16) * 2 - 1
    learner = build_learner(completed(RunConfig.read(config)))
    assert learner.critic.network(images).shape == (2, 1)


def test_a_setting_that_another_class_lacks_can_be_left_out() -> None:
    words = ["model=r3gan", "players=progan", "data=digits", "data.resolution=16"]
    mend = "~model.critic.network.encoder.normalisation"
    with pytest.raises(ConfigError, match=f"to leave out what a page sets: '{mend}'"):
        check(composed(*words))
    check(composed(*words, mend))


def test_remedies_are_chosen_in_a_multirun(genlab, tmp_path: Path) -> None:
    size = ["data.batch_size=16", "total_images=32", "samples.count=4", "trainer=cpu"]
    swept = ["model=gan", "remedy=[],[r1,replay]", "data=digits", f"hydra.sweep.dir={tmp_path}/s"]
    assert genlab("train", "-m", *swept, *size)[0] == 0
    configs = [OmegaConf.load(tmp_path / "s" / job / "config.yaml") for job in "01"]
    assert "replay" not in configs[0].model.remedies
    assert configs[1].model.remedies.replay.size == 1000
    assert configs[1].model.remedies.r1.every == 16


@pytest.mark.parametrize("model", ["wgan_gp", "sngan", "r3gan", "dragan"])
@pytest.mark.parametrize("players", ["dense", "convolutional", "residual"])
def test_every_game_goes_with_any_plain_networks(model: str, players: str) -> None:
    config = composed(f"model={model}", f"players={players}", "data=digits", "data.resolution=20")
    check(config)
    learner = build_learner(completed(RunConfig.read(config)))
    assert learner.critic.network(torch.rand(4, 1, 20, 20)).shape == (4, 1)


def sizes(model: str) -> list[tuple[int, int]]:
    """Resolutions and channels; networks that grow take powers of two."""
    return (
        [(16, 3), (32, 1), (64, 3)]
        if model.startswith(("progan", "stylegan"))
        else [(20, 3), (48, 1), (64, 3)]
    )


@pytest.mark.parametrize(
    ("model", "resolution", "channels"),
    [
        (m, *size)
        for m in pages("model")
        if "gan" in m and m not in TRANSLATORS
        for size in sizes(m)
    ],
)
def test_gans_take_any_size(model: str, resolution: int, channels: int) -> None:
    config = composed(
        f"model={model}",
        "data=digits",
        f"data.resolution={resolution}",
        f"data.channels={channels}",
    )
    learner = build_learner(completed(RunConfig.read(config))).eval()
    latents = learner.latents(3, torch.Generator().manual_seed(0), {})
    images = learner.generate(latents)
    assert images.shape == (3, channels, resolution, resolution)
    labels = {"label": torch.tensor([3, 9, 0])}
    assert learner.critic.network(images.clone(), labels).shape == (3, 1)


@pytest.mark.parametrize(
    ("resolution", "channels", "codes"), [(20, 3, 2), (48, 1, 128), (64, 3, 2)]
)
@pytest.mark.parametrize(
    "model",
    [m for m in pages("model") if "gan" not in m and m not in ("classifier", *TRANSLATORS)],
)
def test_autoencoders_take_any_size_and_number_of_codes(
    model: str, resolution: int, channels: int, codes: int
) -> None:
    config = composed(
        f"model={model}",
        "data=digits",
        f"data.resolution={resolution}",
        f"data.channels={channels}",
    )
    bottleneck = config["model"]["autoencoder"]["bottleneck"]
    if "codes" in bottleneck:
        bottleneck["codes"] = codes
    learner = build_learner(completed(RunConfig.read(config))).eval()
    images = torch.rand(2, channels, resolution, resolution) * 2 - 1
    labels = {"label": torch.tensor([3, 9])}
    assert learner.reconstruct(images, labels).shape == images.shape
    assert learner.encode(images, labels)["values"].shape[0] == 2
    latents = learner.latents(3, torch.Generator().manual_seed(0), {})
    assert learner.generate(latents).shape == (3, channels, resolution, resolution)


@pytest.mark.parametrize(
    ("view", "translator"),
    [
        (view, translator)
        for view in pages("view")
        for translator in pages("translator")
        if (view, translator) != ("shrunk", "unet")  # a U-Net changes no sizes
    ],
)
@pytest.mark.parametrize(("resolution", "channels"), [(24, 3), (48, 1)])
def test_translators_take_any_view_and_size(
    view: str, translator: str, resolution: int, channels: int
) -> None:
    size = [f"data.resolution={resolution}", f"data.channels={channels}", "data=digits"]
    words = [f"view={view}", f"translator={translator}", "model.critic.sees_given=false"]
    config = composed("model=pix2pix", *words, *size)
    check(config)
    learner = build_learner(completed(RunConfig.read(config))).eval()
    images = torch.rand(2, channels, resolution, resolution) * 2 - 1
    assert learner.reconstruct(images, {}).shape == images.shape
    assert learner.critic.network(images).shape[0] == 2
