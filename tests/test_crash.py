"""Every model page goes on after a crash as if there had been none."""

from pathlib import Path

import pytest
from test_pages import pages
from test_resume import assert_same_run

from genlab.callbacks.history import History

# Crashes after 475 of 800 images, the last checkpoint is at 400. The greedy page changes its stage
# at 200, 400 and 600; what grows is in a fade at 400, whose end at 450 comes before the crash.
SETTINGS = [
    "data.resolution=8",
    "data.batch_size=16",
    "trainer=cpu",
    "total_images=800",
    "samples.every_images=350",
    "samples.count=4",
    "log.every_images=150",
    "checkpoint.every_images=200",
]
# Remedies that carry a state of their own, or count steps, ride on the first GAN.
REMEDIES = "remedy=[ada,replay,historical_averaging,critic_steps,r1,spectral_norm,flipped_labels]"
GROWTH = ["model.stages.stable_images=150", "model.stages.fade_images=300"]
OWN = {
    "progan": [*GROWTH, "remedy=replay", "model.remedies.replay.size=20"],
    "acgan": ["remedy=[replay,packing,r2]", "model.remedies.replay.size=20"],
    "stylegan": [*GROWTH, "model.stages.start=4"],
    "stylegan2": ["remedy=ada"],
    "gan": [REMEDIES, "model.remedies.ada.target=-0.99", "model.remedies.replay.size=20"],
    # The critic wakes up between the last checkpoint and the crash.
    "srgan": ["model.adversarial.delay_images=425", "model.adversarial.images=100"],
    "cyclegan": ["model.remedies.replay.size=20", "model.translators.network.translator.width=4"],
    "greedy_autoencoder": ["model.stages.images_per_block=200"],
}
KINDS = ["data=avatar_styles", "data.first_count=60", "data.second_count=40"]


@pytest.mark.parametrize("model", pages("model"))
def test_every_page_resumes_exactly(
    genlab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    data = KINDS if model == "cyclegan" else ["data=digits"]
    settings = [f"model={model}", *data, *SETTINGS, *OWN.get(model, [])]
    assert genlab("train", *settings, f"hydra.run.dir={tmp_path / 'whole'}")[0] == 0

    whole = History.on_train_batch_end

    def crash(self, trainer, pl_module, *rest) -> None:
        if pl_module.learner.images_seen >= 475:
            raise RuntimeError("crash")
        whole(self, trainer, pl_module, *rest)

    with monkeypatch.context() as patched:
        patched.setattr(History, "on_train_batch_end", crash)
        assert genlab("train", *settings, f"hydra.run.dir={tmp_path / 'crashed'}")[0] == 1
    code, out, err = genlab("train", f"resume={tmp_path / 'crashed'}")
    assert (code, err) == (0, "")
    assert "continuing after 400 images" in out
    assert_same_run(tmp_path / "whole", tmp_path / "crashed")
