import errno
import json
import logging
import os
import socket
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from genlab.data import Annotations, Source, prepare
from genlab.errors import ConfigError, DataError, ResourceError


class Counting(Source):
    """Five images of rising grey; counts how often it is written."""

    written = 0

    def count(self):
        return 5

    def write(self, images, advance):
        type(self).written += 1
        for index in range(5):
            images[index] = index
            advance(1)
        names = {"label": ["even", "odd"]}
        return Annotations("five greys", {"label": np.arange(5) % 2}, names, test_start=4)


class Failing(Counting):
    def write(self, images, advance):
        raise DataError("no such luck")


@pytest.fixture(autouse=True)
def never_written():
    Counting.written = 0


def test_a_set_is_written_once_and_comes_back_whole(cache):
    for in_memory_gb in (1, 0):
        images = prepare(Counting(4, 3), in_memory_gb)
        assert images.images.shape == (5, 3, 4, 4)
        assert images.images.dtype == np.uint8
        assert (images.images[:, 0, 0, 0] == np.arange(5)).all()
        assert images.labels["label"].tolist() == [0, 1, 0, 1, 0]
        assert images.classes == {"label": ["even", "odd"]}
        assert (images.about, images.test_start) == ("five greys", 4)
        assert (images.resolution, images.channels, len(images)) == (4, 3, 5)
    assert Counting.written == 1
    assert len(list(cache.iterdir())) == 1


def test_a_limit_of_memory_maps_larger_sets():
    assert not isinstance(prepare(Counting(4, 3), 1).images, np.memmap)
    assert isinstance(prepare(Counting(4, 3), 0).images, np.memmap)


def test_settings_and_version_change_the_address(cache, monkeypatch):
    for resolution, channels in ((4, 1), (4, 3), (8, 1)):
        prepare(Counting(resolution, channels), 1)
    monkeypatch.setattr(Counting, "version", 2)
    prepare(Counting(4, 1), 1)
    assert Counting.written == len(list(cache.iterdir())) == 4


def test_a_failed_preparation_leaves_nothing(cache):
    with pytest.raises(DataError, match="no such luck"):
        prepare(Failing(4, 1), 1)
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize("file", ["images.npy", "labels.npz", "about.json"])
@pytest.mark.parametrize("damage", ["cut", "gone"])
def test_a_damaged_entry_is_prepared_again(cache, caplog, file, damage):
    prepare(Counting(4, 1), 1)
    (entry,) = cache.iterdir()
    if damage == "gone":
        (entry / file).unlink()
    else:
        os.truncate(entry / file, 20)
    assert len(prepare(Counting(4, 1), 0)) == 5
    assert "damaged" in caplog.text
    assert Counting.written == 2
    assert list(cache.iterdir()) == [entry]


def simultaneous(source, count=3):
    """What `count` threads get that prepare at the same moment."""
    results = []
    threads = [
        threading.Thread(target=lambda: results.append(prepare(source, 1))) for _ in range(count)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.parametrize("in_memory_gb", [1, 0])
@pytest.mark.parametrize("file", ["images.npy", "labels.npz"])
def test_a_flipped_bit_is_noticed_and_prepared_again(cache, caplog, file, in_memory_gb):
    prepare(Counting(4, 1), in_memory_gb)
    (entry,) = cache.iterdir()
    content = bytearray((entry / file).read_bytes())
    place = len(content) - 3 if file == "images.npy" else content.index(b"\x93NUMPY") + 128 + 8
    content[place] ^= 1
    (entry / file).write_bytes(content)
    images = prepare(Counting(4, 1), in_memory_gb)
    assert (images.images[:, 0, 0, 0] == np.arange(5)).all()
    assert "damaged" in caplog.text
    assert Counting.written == 2


def test_entries_from_before_hashes_are_used(cache):
    prepare(Counting(4, 1), 1)
    (about,) = cache.rglob("about.json")
    content = json.loads(about.read_text())
    del content["hashes"]
    about.write_text(json.dumps(content))
    assert len(prepare(Counting(4, 1), 1)) == 5
    assert Counting.written == 1


@pytest.mark.parametrize(
    "change",
    [
        {"classes": {"label": ["one"]}},
        {"classes": {"other": ["one"]}},
        {"classes": [1]},
        {"test_start": 9},
        {"test_start": "four"},
        {"bytes": -1},
        {"hashes": {"images": [], "labels": {}}},
        {"hashes": {"images": ["0", "0"], "labels": {}}},
    ],
)
def test_an_entry_that_does_not_belong_together_is_prepared_again(cache, caplog, change):
    prepare(Counting(4, 1), 1)
    (about,) = cache.rglob("about.json")
    about.write_text(json.dumps(json.loads(about.read_text()) | change))
    os.utime(about.with_name("images.npy"))  # of another time, as in another process
    assert len(prepare(Counting(4, 1), 1)) == 5
    assert "damaged" in caplog.text
    assert Counting.written == 2


def test_of_simultaneous_preparations_one_builds_and_the_others_wait(cache, caplog):
    caplog.set_level(logging.INFO)

    class Slow(Counting):
        def write(self, images, advance):
            time.sleep(0.3)
            return super().write(images, advance)

    results = simultaneous(Slow(4, 1))
    assert [len(result) for result in results] == [5, 5, 5]
    assert Slow.written == 1
    assert len(list(cache.iterdir())) == 1
    assert caplog.text.count("waiting for another process that prepares slow-") == 2


def test_where_the_file_system_has_no_locks_the_first_rename_wins(cache, monkeypatch):
    barrier = threading.Barrier(3)

    class Together(Counting):
        def write(self, images, advance):
            barrier.wait(timeout=10)
            return super().write(images, advance)

    def refuse(descriptor, how):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", refuse)
    results = simultaneous(Together(4, 1))
    assert [len(result) for result in results] == [5, 5, 5]
    assert len(list(cache.iterdir())) == 1


def test_the_memory_of_all_processes_here_counts(monkeypatch):
    prepare(Counting(16, 3), 1)  # 3 840 bytes and a header
    enough_for_two = 2.5 * 3840 / 2**30
    for variable, value, mapped in (
        ("LOCAL_WORLD_SIZE", "1", False),
        ("LOCAL_WORLD_SIZE", "2", False),
        ("LOCAL_WORLD_SIZE", "3", True),
        ("SLURM_STEP_TASKS_PER_NODE", "2(x3)", False),
        ("SLURM_STEP_TASKS_PER_NODE", "2(x16),4", True),
    ):
        with monkeypatch.context() as patch:
            patch.setenv(variable, value)
            images = prepare(Counting(16, 3), enough_for_two).images
            assert isinstance(images, np.memmap) == mapped, (variable, value)


def test_two_processes_prepare_one_entry_once(cache):
    code = (
        "import logging, sys; logging.basicConfig(level=logging.INFO, stream=sys.stdout)\n"
        "from genlab.data import Digits, prepare\n"
        "print(len(prepare(Digits(32, 1), 1)))"
    )
    command = [sys.executable, "-W", "ignore", "-c", code]
    processes = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ)
        for _ in range(2)
    ]
    told = [process.communicate(timeout=120)[0] for process in processes]
    assert [text.splitlines()[-1] for text in told] == ["1797", "1797"]
    assert "".join(told).count("preparing Digits: ") == 1
    assert len(list(cache.iterdir())) == 1


def test_work_of_dead_processes_is_removed_and_of_living_ones_kept(cache):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    leftovers = [
        cache / f".set-0.{socket.gethostname()}.{process}.abcd"
        for process in (dead.pid, os.getpid())
    ]
    foreign = cache / f".set-0.elsewhere.{dead.pid}.abcd"
    for folder in (*leftovers, foreign):
        folder.mkdir(parents=True)
    prepare(Counting(4, 1), 1)
    assert [folder.exists() for folder in (*leftovers, foreign)] == [False, True, True]


def test_a_full_disk_is_noticed_first(monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 10}))
    with pytest.raises(ResourceError, match="GENLAB_CACHE"):
        prepare(Counting(4, 1), 1)
    assert Counting.written == 0


def test_a_cache_that_cannot_be_a_folder(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GENLAB_CACHE", str(tmp_path / "file"))
    with pytest.raises(ResourceError, match="GENLAB_CACHE"):
        prepare(Counting(4, 1), 1)


def test_without_a_terminal_one_line_starts_and_one_ends(caplog):
    caplog.set_level(logging.INFO)
    prepare(Counting(4, 1), 1)
    messages = [record.getMessage() for record in caplog.records]
    assert messages[0] == "preparing Counting: 5 images"
    assert messages[1].startswith("prepared 5 images in ")
    assert len(messages) == 2


@pytest.mark.parametrize(("resolution", "channels"), [(0, 1), (-1, 3), (4, 2), ("4", 1)])
def test_impossible_sizes_are_refused(resolution, channels):
    with pytest.raises(ConfigError, match=r"data\.(resolution|channels)="):
        Counting(resolution, channels)
