"""Steps of every model on a fake GPU: CUDA's autocast mixes types that the CPU's does not."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch
from fake_device import (
    LOWER,
    PROMOTED,
    Player,
    autocast_operations,
    device,
    fake_gpu,
    mixed_precision,
)
from test_pages import composed, pages

from genlab.config.build import build_learner, completed
from genlab.config.run import RunConfig
from genlab.learners.abilities import Generates, Measures, Reconstructs
from genlab.learners.learner import evaluating

SIZE = 8  # images of a batch


@contextmanager
def playing(*overrides: str) -> Iterator[Player]:
    """The player of a tiny training run, on the fake GPU."""
    data = ["data=digits"]
    if "model=cyclegan" in overrides:
        data = ["data=avatar_styles", "data.first_count=30", "data.second_count=20"]
    words = [*data, "data.resolution=8", f"data.batch_size={SIZE}", *overrides]
    config = completed(RunConfig.read(composed(*words)))
    label = "domain" if "model=cyclegan" in overrides else "label"
    learner = build_learner(config)
    with fake_gpu():
        yield Player(learner, (config.data.channels, 8, 8), [label])


def use(player: Player) -> None:
    """Measure, reconstruct and generate as callbacks do, in the run's precision."""
    learner = player.learner
    images = torch.zeros(SIZE, *player.image, device=device())
    with evaluating(learner), mixed_precision(), torch.no_grad():
        if isinstance(learner, Measures):
            learner.measure(images, player.told(SIZE))
        if isinstance(learner, Reconstructs):
            learner.reconstruct(images, player.told(SIZE))
        if isinstance(learner, Generates):
            latents = learner.latents(SIZE, torch.Generator(), {}).to(device())
            assert learner.generate(latents).shape == images.shape


GANS = [name for name in pages("model") if name.endswith(("gan", "gan2", "minimax", "gan_gp"))]


@pytest.mark.parametrize(
    ("model", "scale"),
    [*((name, "laptop") for name in pages("model")), *((name, "paper") for name in GANS)],
)
def test_every_model_trains_in_mixed_precision(model: str, scale: str) -> None:
    with playing(f"model={model}", f"scale={scale}") as player:
        logged = player.step_of_all(SIZE)
        use(player)
    assert {value.device for value in logged.values()} == {device()}


@pytest.mark.parametrize("model", ["progan", "stylegan"])
@pytest.mark.parametrize("fade", [0.0, 0.5])
def test_models_that_grow_train_while_a_resolution_is_faded_in(model: str, fade: float) -> None:
    with playing(f"model={model}", "model.stages.start=4") as player:
        stages = player.learner.stages
        player.learner.images_seen = int(stages.stable_images + fade * stages.fade_images)
        assert player.learner.stage == {"resolution": 8, "fade": pytest.approx(fade, abs=1e-3)}
        player.step(SIZE)
        use(player)
        player.learner.images_seen = 0
        assert player.learner.stage == {"resolution": 4, "fade": 1}
        player.step(SIZE)


OTHERS = [name for name in pages("remedy") if name != "ada"]  # or diffaugment
OF_LABELS = ("label_smoothing", "flipped_labels")  # which the Wasserstein loss has none of


@pytest.mark.parametrize("model", ["cgan", "progan"])
@pytest.mark.parametrize("chosen", [["ada"], OTHERS], ids=["ada", "others"])
def test_every_remedy_trains_in_mixed_precision(model: str, chosen: list[str]) -> None:
    labelled = model == "cgan"
    remedies = ",".join(name for name in chosen if labelled or name not in OF_LABELS)
    faded = ["model.stages.start=4"] if model == "progan" else []
    with playing(f"model={model}", f"remedy=[{remedies}]", *faded) as player:
        after = player.learner.stages.stable_images + SIZE if faded else SIZE * 5
        for number in range(2):
            player.learner.images_seen = number * after  # memories are empty, then not
            player.step(SIZE)
        use(player)


def test_the_rules_of_autocast_are_those_of_this_torch() -> None:
    known = {name.removeprefix("aten::").partition(".")[0] for name in autocast_operations()}
    assert {*LOWER.split(), *PROMOTED.split()} <= known


def test_the_fake_gpu_refuses_what_a_gpu_refuses() -> None:
    with fake_gpu(), mixed_precision():
        small, large = (torch.empty(2, 3, side, side, device=device()) for side in (8, 16))
        weight = torch.empty(3, 3, 1, 1, device=device())
        small, large = (torch.nn.functional.conv2d(each, weight) for each in (small, large))
        enlarged = torch.nn.functional.interpolate(small, scale_factor=2.0)
        assert (large.dtype, enlarged.dtype) == (torch.bfloat16, torch.float32)
        with pytest.raises(RuntimeError, match="dtype"):
            torch.lerp(enlarged, large, 0.5)
        with pytest.raises(RuntimeError, match="device"):
            large + torch.ones(2, 3, 16, 16)
