from pathlib import Path

from genlab.opened import open_run


def test_a_run_is_opened_where_it_ended(genlab, tmp_path: Path) -> None:
    """Stages and schedules are functions of images seen: of a finished run, of all of them."""
    code, _, err = genlab(
        "train",
        "model=greedy_autoencoder",
        "model.stages.images_per_block=100",
        "data=digits",
        "data.batch_size=32",
        "total_images=480",
        "trainer=cpu",
        f"hydra.run.dir={tmp_path / 'run'}",
    )
    assert (code, err) == (0, "")
    learner = open_run(str(tmp_path / "run"), "cpu").learner
    assert learner.images_seen == 480
    assert learner.stage == {}
