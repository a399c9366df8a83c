import errno
import pickle
import random
from pathlib import Path

import pytest
import torch

from genlab.errors import CheckpointError
from genlab.runs.checkpoints import (
    checkpoint_name,
    checkpoints_of,
    newest_valid,
    prune,
    read_checkpoint,
)
from genlab.training.checkpoint_io import SafeCheckpointIO


def write(folder: Path, images_seen: int) -> Path:
    path = folder / checkpoint_name(images_seen)
    state = {"images_seen": images_seen, "weights": torch.arange(100.0)}
    SafeCheckpointIO().save_checkpoint(state, path)
    return path


def test_what_was_written_is_read(tmp_path: Path) -> None:
    state = read_checkpoint(write(tmp_path, 7))
    assert state["images_seen"] == 7
    assert torch.equal(state["weights"], torch.arange(100.0))
    assert not list(tmp_path.glob("*.part"))


def test_every_single_flipped_bit_is_noticed(tmp_path: Path) -> None:
    path = write(tmp_path, 7)
    content = path.read_bytes()
    chance = random.Random(0)
    for _ in range(60):
        damaged = bytearray(content)
        damaged[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        path.write_bytes(damaged)
        with pytest.raises(CheckpointError, match="damaged"):
            read_checkpoint(path)


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", b"PK\x03\x04 torn"])
def test_files_that_are_no_checkpoints_are_refused(tmp_path: Path, content: bytes) -> None:
    path = write(tmp_path, 7)
    path.write_bytes(content)
    with pytest.raises(CheckpointError):
        read_checkpoint(path)


def test_a_pickle_with_code_is_refused_and_not_run(tmp_path: Path) -> None:
    import hashlib

    class Attack:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "executed",))

    path = write(tmp_path, 7)
    path.write_bytes(pickle.dumps({"images_seen": 7, "weights": Attack()}, protocol=2))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    path.with_suffix(".sha256").write_text(digest)
    with pytest.raises(CheckpointError, match="not a checkpoint that is safe to load"):
        read_checkpoint(path)
    assert not (tmp_path / "executed").exists()


def test_the_newest_valid_one_is_found_past_damaged_ones(tmp_path: Path, caplog) -> None:
    older, newer = write(tmp_path, 100), write(tmp_path, 20_000)
    assert newest_valid(tmp_path).path == newer
    newer.write_bytes(newer.read_bytes()[:-10])
    assert newest_valid(tmp_path).path == older
    assert newer.name in caplog.text
    older.unlink()
    assert newest_valid(tmp_path) is None


def test_a_checkpoint_that_was_read_is_not_read_again(tmp_path: Path) -> None:
    path = write(tmp_path, 7)
    read = newest_valid(tmp_path)
    reader = SafeCheckpointIO(read)
    path.unlink()
    assert reader.load_checkpoint(path)["images_seen"] == 7
    assert not read.state
    with pytest.raises(CheckpointError):
        reader.load_checkpoint(path)


def test_a_missing_hash_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, 7)
    path.with_suffix(".sha256").unlink()
    with pytest.raises(CheckpointError, match=r"7\.sha256: cannot be read"):
        read_checkpoint(path)


@pytest.mark.parametrize("room", [True, False])
def test_a_full_disk_costs_older_checkpoints_and_is_tried_again(
    tmp_path: Path, monkeypatch, room: bool
) -> None:
    from genlab.training import checkpoint_io

    older, newer = write(tmp_path, 1), write(tmp_path, 50)
    whole = checkpoint_io.write_atomically

    def full(path, content) -> None:
        if older.exists() or not room:
            raise OSError(errno.ENOSPC, "No space left on device")
        whole(path, content)

    monkeypatch.setattr(checkpoint_io, "write_atomically", full)
    if room:
        assert checkpoints_of(tmp_path) == [newer, older]
        assert read_checkpoint(write(tmp_path, 2000))["images_seen"] == 2000
    else:
        with pytest.raises(OSError, match="No space left"):
            write(tmp_path, 2000)
    assert read_checkpoint(newer)["images_seen"] == 50
    assert not older.exists()


def test_prune_keeps_the_newest(tmp_path: Path) -> None:
    paths = [write(tmp_path, images) for images in (1, 50, 2000)]
    prune(tmp_path, keep=2)
    assert checkpoints_of(tmp_path) == paths[:0:-1]
    assert len(list(tmp_path.iterdir())) == 4


def test_a_failed_write_leaves_the_old_file_and_no_part(tmp_path: Path) -> None:
    from genlab.io.files import write_atomically

    target = tmp_path / "file"
    target.write_text("old")

    def fail(file) -> None:
        file.write(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        write_atomically(target, fail)
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]
