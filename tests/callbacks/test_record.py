"""What a finished run leaves for people: a picture of its losses, TensorBoard's comparison."""

import time
from pathlib import Path

import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData
from torch.utils.tensorboard import SummaryWriter

from genlab.callbacks.history import History, events_folder
from genlab.errors import CheckpointError
from genlab.io.reading import read_csv

SHORT = ["model=dcgan", "data=digits", "data.resolution=16", "trainer=cpu", "samples.count=4"]


def test_a_run_ends_with_curves_settings_beside_metrics_and_the_next_command(
    genlab, tmp_path: Path
) -> None:
    words = [*SHORT, "total_images=600", "log.every_images=128", "model.rate=0.5"]
    code, out, _ = genlab("train", *words, "hydra.run.dir=runs/my run")
    assert code == 0
    assert out.splitlines()[-1].split(maxsplit=1) == ["next:", "genlab sample run='runs/my run'"]
    run = tmp_path / "runs" / "my run"
    with Image.open(run / "losses.png") as picture:
        assert picture.width > picture.height
    events = EventAccumulator(str(run)).Reload()  # TensorBoard names runs by their folders
    assert "train/critic_loss" in events.Tags()["scalars"]
    content = events.summary_metadata["_hparams_/session_start_info"].plugin_data.content
    settings = HParamsPluginData.FromString(content).session_start_info.hparams
    assert settings["model.rate"].number_value == 0.5
    assert settings["seed"].number_value == 0
    assert settings["model"].string_value == "dcgan"
    shown = events.summary_metadata["_hparams_/experiment"].plugin_data.content
    metrics = HParamsPluginData.FromString(shown).experiment.metric_infos
    assert "train/generator_loss" in {metric.name.tag for metric in metrics}


def test_a_run_of_minutes_says_what_trains_it_further(genlab) -> None:
    words = [*SHORT, "total_images=100_000", "max_minutes=0.002"]
    assert genlab("train", *words, "hydra.run.dir=run")[0] == 0
    code, out, _ = genlab("train", "resume=run", "total_images=200_000")
    assert code == 0
    assert "max_minutes=0.002 includes earlier training, of" in out
    assert "a larger max_minutes, or max_minutes=null, trains it further" in out


def test_thousands_of_rows_cost_less_than_a_millisecond_each(tmp_path: Path) -> None:
    history = History(tmp_path, 64)
    history.writer = SummaryWriter(str(tmp_path))
    names = [f"value_{number}" for number in range(10)]
    started = time.process_time()
    for step in range(1, 5001):
        history.record(dict.fromkeys(names, step / 7), "train", 64 * step)
        if step % 10 == 0:
            history.record({"loss": step / 3}, "validation", 64 * step)
    spent = time.process_time() - started
    history.close()
    rows = read_csv(tmp_path / "metrics.csv", CheckpointError)
    assert [row["images_seen"] for row in rows] == [str(64 * step) for step in range(1, 5001)]
    assert all(float(row["train/value_9"]) * 7 == pytest.approx(i) for i, row in enumerate(rows, 1))
    assert sum(row["validation/loss"] != "" for row in rows) == 500
    assert spent < 5


def test_events_of_older_runs_stay_in_their_folder(tmp_path: Path) -> None:
    assert events_folder(tmp_path) == tmp_path
    (tmp_path / "tensorboard" / "codes_test").mkdir(parents=True)
    assert events_folder(tmp_path) == tmp_path
    (tmp_path / "tensorboard" / "events.out.tfevents.1.vm.2.0").touch()
    assert events_folder(tmp_path) == tmp_path / "tensorboard"
