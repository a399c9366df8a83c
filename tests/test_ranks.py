"""Two ranks as a user's srun starts them, forked from this process: what one meets, all know."""

import fcntl
import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from test_kills import killing, train
from test_resume import assert_same_run

from genlab import console
from genlab.callbacks import lifecycle
from genlab.learners import Learner
from genlab.processes import peers
from genlab.runs.checkpoints import checkpoints_of, newest_valid

SETTINGS = [
    "trainer=multi_node",
    "trainer.num_nodes=1",
    "trainer.devices=2",
    "trainer.accelerator=cpu",
    "trainer.precision=32-true",
    "model=dcgan",
    "remedy=[replay,historical_averaging]",
    "model.remedies.replay.size=20",
    "data=digits",
    "data.resolution=8",
    "data.batch_size=8",
    "samples.count=4",
    "samples.every_images=100000",
    "log.every_images=96",
    "checkpoint.every_images=80",
]
LONG = ["total_images=100000000", "checkpoint.every_images=320"]
Patch = Callable[[], object]


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def start(
    words: list[str], job: str = "7", patches: dict[int, Patch] | None = None, **further: str
) -> list[int]:
    """The process numbers of both ranks; what they say goes to files rank0 and rank1."""
    port, ranks = str(free_port()), []
    for rank in range(2):
        child = os.fork()
        if child:
            ranks.append(child)
            continue
        os.environ |= {
            "SLURM_JOB_ID": job,
            "SLURM_STEP_ID": "0",
            "SLURM_PROCID": str(rank),
            "SLURM_LOCALID": str(rank),
            "SLURM_NTASKS": "2",
            "SLURM_NNODES": "1",
            "SLURM_NODELIST": "here",
            "MASTER_PORT": port,
            **further,
        }
        sys.stdout = sys.stderr = open(f"rank{rank}", "w", buffering=1)  # noqa: SIM115 (the fork's)
        console.console.cache_clear()
        code = 99
        try:
            (patches or {}).get(rank, lambda: None)()
            train(*words)
        except SystemExit as ended:
            code = int(ended.code or 0)
        finally:
            os._exit(code)
    return ranks


def codes(ranks: list[int], seconds: float = 60) -> list[int]:
    """How both ended, in time: exit codes, signals as negative numbers."""
    found: dict[int, int] = {}
    deadline = time.monotonic() + seconds
    while len(found) < len(ranks):
        for rank in ranks:
            if rank not in found and (ended := os.waitpid(rank, os.WNOHANG))[0]:
                found[rank] = os.waitstatus_to_exitcode(ended[1])
        if time.monotonic() > deadline:
            for rank in ranks:
                if rank not in found:
                    os.kill(rank, signal.SIGKILL)
            pytest.fail(f"still running: {found} of {ranks}; {said()}")
        time.sleep(0.02)
    return [found[rank] for rank in ranks]


def said() -> str:
    return Path("rank0").read_text() + Path("rank1").read_text()


def trained(run: Path, images: int) -> None:
    """Wait until so many images are saved."""
    deadline = time.monotonic() + 60
    while not any(int(p.stem[-12:]) >= images for p in checkpoints_of(run / "checkpoints")):
        assert time.monotonic() < deadline, said()
        time.sleep(0.02)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of two ranks, in the folder named by its job."""
    folder = tmp_path_factory.mktemp("whole")
    before = Path.cwd()
    os.chdir(folder)
    try:
        assert codes(start([*SETTINGS, "total_images=480"])) == [0, 0], said()
    finally:
        os.chdir(before)
    return folder / "runs" / "7"


def test_every_rank_goes_on_with_its_own_state(tmp_path: Path, whole: Path) -> None:
    words = [*SETTINGS, "total_images=480"]

    def dies() -> None:
        killing(lifecycle, "export_weights", 4, after=False)

    # Rank 1 notices that rank 0 has died.
    assert codes(start(words, patches={0: dies})) == [-9, 7], said()
    run = tmp_path / "runs" / "7"
    assert newest_valid(run / "checkpoints").state["images_seen"] == 320
    assert codes(start(words)) == [0, 0], said()
    assert_same_run(whole, run)
    pools = newest_valid(run / "checkpoints").state
    own = pools["ranks"][1]["buffers"]["critic.remedies.replay.pool"]
    assert not own.equal(pools["state_dict"]["critic.remedies.replay.pool"])


@pytest.mark.parametrize(
    ("further", "code", "what"),
    [
        ([], 0, "is finished"),
        (["model.rate=0.5"], 4, "other settings"),
        (["data.batch_size=100000", "allow_changes=true", "total_images=900"], 3, "batch_size"),
    ],
)
def test_all_ranks_hear_what_becomes_of_a_run_that_is_there(
    whole: Path, further: list[str], code: int, what: str
) -> None:
    words = [*SETTINGS, "total_images=480", f"hydra.run.dir={whole}", *further]
    assert codes(start(words), seconds=30) == [code, code], said()
    assert what in Path("rank0").read_text()
    assert said().count("genlab: ") <= 1


def test_all_ranks_hear_that_another_process_trains_there(whole: Path) -> None:
    with (whole / ".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        words = [*SETTINGS, "total_images=900", f"hydra.run.dir={whole}"]
        assert codes(start(words), seconds=30) == [5, 5], said()


def test_another_number_of_ranks_is_allowed_when_asked_for(
    genlab, whole: Path, tmp_path: Path
) -> None:
    run = shutil.copytree(whole, tmp_path / "run")  # `whole` is of all tests, in any order
    words = [*SETTINGS, "total_images=900", f"hydra.run.dir={run}"]
    code, _, err = genlab("train", *words, "trainer.devices=1", "resume=auto", "allow_changes=true")
    assert code == 0, err


def waits() -> None:
    """Prepare for ever, as of a large folder."""
    from genlab.jobs import train as training

    def prepare(*_: object) -> None:
        Path("preparing").touch()
        time.sleep(1000)

    training.prepare_run = prepare


def says_that_it_follows() -> None:
    """Tell when the first rank has been found."""
    find = peers.reach_store

    def found() -> object:
        store = find()
        Path("following").touch()
        return store

    peers.reach_store = found


def appears(name: str) -> None:
    deadline = time.monotonic() + 60
    while not Path(name).exists():
        assert time.monotonic() < deadline, said()
        time.sleep(0.02)


def test_a_first_rank_that_dies_while_it_prepares_ends_the_others() -> None:
    ranks = start(SETTINGS, patches={0: waits, 1: says_that_it_follows})
    appears("preparing")
    appears("following")
    os.kill(ranks[0], signal.SIGKILL)
    assert codes(ranks, seconds=30) == [-9, 7], said()
    assert "the first process has ended" in Path("rank1").read_text()


@pytest.mark.parametrize("whom", [[0], [0, 1]])
def test_a_signal_while_the_first_rank_prepares(whom: list[int]) -> None:
    ranks = start(SETTINGS, patches={0: waits})
    appears("preparing")
    for rank in whom:
        os.kill(ranks[rank], signal.SIGTERM)
    assert codes(ranks, seconds=30) == [143, 143], said()
    assert "nothing was saved" in Path("rank0").read_text()


@pytest.mark.parametrize(
    ("number", "whom", "code"),
    [
        (signal.SIGTERM, [0], 143),
        (signal.SIGINT, [1], 130),
        (signal.SIGTERM, [0, 1, 0, 1], 143),  # directly, and passed on by a launcher
    ],
)
def test_a_signal_to_any_rank_saves_and_stops_all(
    tmp_path: Path, number: int, whom: list[int], code: int
) -> None:
    ranks = start([*SETTINGS, *LONG])
    run = tmp_path / "runs" / "7"
    trained(run, 320)
    for rank in whom:
        os.kill(ranks[rank], number)
    assert codes(ranks) == [code, code], said()
    saved = newest_valid(run / "checkpoints").state["images_seen"]
    assert f"stopped after {saved:,} images, all saved" in Path("rank0").read_text()


def test_a_rank_that_hangs_is_noticed(tmp_path: Path) -> None:
    ranks = start([*SETTINGS, *LONG, "trainer.timeout_seconds=3"])
    trained(tmp_path / "runs" / "7", 320)
    os.kill(ranks[1], signal.SIGSTOP)
    started = time.monotonic()
    assert codes(ranks[:1]) == [7], said()
    assert time.monotonic() - started < 20
    assert "has not answered for 3 s" in Path("rank0").read_text()
    os.kill(ranks[1], signal.SIGKILL)
    os.waitpid(ranks[1], 0)


def test_nothing_listens_beyond_this_machine(tmp_path: Path) -> None:
    ranks = start([*SETTINGS, *LONG])
    trained(tmp_path / "runs" / "7", 320)
    places = [place for rank in ranks for place in listening_places(rank)]
    for rank in ranks:
        os.kill(rank, signal.SIGTERM)
    codes(ranks)
    assert len(places) >= 3  # the store's, and each rank's
    assert set(places) == {"0100007F"}


def listening_places(process: int) -> list[str]:
    """The addresses, in hexadecimal, on which a process listens."""
    sockets = set()
    for link in Path(f"/proc/{process}/fd").iterdir():
        target = os.readlink(link)
        if target.startswith("socket:["):
            sockets.add(target[8:-1])
    found = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{process}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in sockets:
                found.append(fields[1].split(":")[0])
    return found


@pytest.mark.parametrize("requeues", [True, False])
def test_sigusr1_saves_and_has_slurm_start_the_job_again(tmp_path: Path, requeues: bool) -> None:
    asked = tmp_path / "asked"
    scontrol = tmp_path / "bin" / "scontrol"
    scontrol.parent.mkdir()
    scontrol.write_text(f"#!/bin/sh\necho $@ >> {asked}\nexit {0 if requeues else 1}\n")
    scontrol.chmod(0o755)
    path = f"{scontrol.parent}:{os.environ['PATH']}"
    ranks = start([*SETTINGS, "total_images=100000000", "checkpoint.every_images=160"], PATH=path)
    run = tmp_path / "runs" / "7"
    trained(run, 160)
    for rank in ranks:
        os.kill(rank, signal.SIGUSR1)
    if requeues:
        assert codes(ranks) == [138, 138], said()
        saved = newest_valid(run / "checkpoints").state["images_seen"]
        assert f"saved after {saved:,} images because of SIGUSR1" in (run / "train.log").read_text()
    else:
        while not asked.exists():
            time.sleep(0.02)
        trained(run, int(checkpoints_of(run / "checkpoints")[0].stem[-12:]) + 160)
        for rank in ranks:
            os.kill(rank, signal.SIGTERM)
        assert codes(ranks) == [143, 143], said()
    assert asked.read_text() == "requeue 7\n"


def test_a_rank_that_fails_alone_ends_all(tmp_path: Path) -> None:
    def fails() -> None:
        from genlab.errors import ResourceError
        from genlab.jobs import train as training

        def missing(*_: object) -> None:
            raise ResourceError("no device here")

        training.prepare_run = missing

    assert codes(start(SETTINGS, patches={1: fails}), seconds=30) == [5, 5], said()
    assert "no device here" in Path("rank1").read_text()


def test_a_state_that_is_not_finite_on_one_rank_ends_all(tmp_path: Path) -> None:
    def poisons() -> None:
        whole = Learner.training_step

        def step(self, batch):
            losses = whole(self, batch)
            if self.images_seen == 160:
                self.critic.remedies["replay"].pool[0] = float("nan")
            return losses

        Learner.training_step = step

    words = [*SETTINGS, "total_images=480"]
    assert codes(start(words, patches={1: poisons})) == [6, 6], said()
    run = tmp_path / "runs" / "7"
    assert newest_valid(run / "checkpoints").state["images_seen"] == 80
    assert "with other noise (2 of 2)" in (run / "train.log").read_text()
