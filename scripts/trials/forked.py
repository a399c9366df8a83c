"""Command lines in forked children of a process that has imported everything."""

import importlib
import os
import pkgutil
import resource
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

MIB = 2**20
HUNG = -1


@dataclass(frozen=True)
class Outcome:
    """How a command line ended.

    `code` is its exit code, minus the signal that killed it, or None where it was still running
    at its time limit. `peak_mib` is the memory that it took beyond what its parent held.
    """

    code: int | None
    output: str
    seconds: float
    peak_mib: float

    @property
    def line(self) -> str:
        """What was said last."""
        lines = [line for line in self.output.splitlines() if line.strip()]
        return lines[-1] if lines else ""


@dataclass(frozen=True)
class Child:
    """A child that runs a command line, and where its output goes."""

    pid: int
    log: Path
    started: float
    held_mib: float

    def wait(self, limit: float = 120.0) -> Outcome:
        """Wait for its end; kill its process group at the limit, in seconds."""
        deadline = time.monotonic() + limit
        while True:
            done, status, usage = os.wait4(self.pid, os.WNOHANG)
            if done:
                code: int | None = os.waitstatus_to_exitcode(status)
                break
            if time.monotonic() > deadline:
                self.signal_group(signal.SIGKILL)
                _, _, usage = os.wait4(self.pid, 0)
                code = None
                break
            time.sleep(0.002)
        output = self.log.read_text(errors="replace") if self.log.exists() else ""
        peak = usage.ru_maxrss / 1024 - self.held_mib
        return Outcome(code, output, time.monotonic() - self.started, peak)

    def signal_group(self, number: int) -> None:
        """Send a signal to the child and all that it started."""
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            os.kill(self.pid, number)


def import_everything() -> None:
    """Import what any verb imports, so that children need not."""
    import genlab

    names = [found.name for found in pkgutil.walk_packages(genlab.__path__, "genlab.")]
    others = ("hydra.main", "torchvision.transforms.v2", "matplotlib.figure", "sklearn.manifold")
    for name in (*names, *others):
        if not name.endswith("__main__"):
            importlib.import_module(name)


def fork(
    words: Sequence[str],
    folder: Path,
    environment: Mapping[str, str] | None = None,
    before: Callable[[], None] | None = None,
    log: Path | None = None,
) -> Child:
    """Start `genlab WORDS` in `folder` in a child with a process group of its own.

    `before` is called in the child first.
    """
    sys.stdout.flush()
    log = log or folder / "output.log"
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    pid = os.fork()
    if not pid:
        _be_the_command(words, folder, environment or {}, before, log)
    return Child(pid, log, time.monotonic(), held)


def run(
    words: Sequence[str],
    folder: Path,
    environment: Mapping[str, str] | None = None,
    before: Callable[[], None] | None = None,
    limit: float = 120.0,
) -> Outcome:
    """Run `genlab WORDS` in `folder` to its end; see `fork`."""
    return fork(words, folder, environment, before).wait(limit)


def _be_the_command(
    words: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    before: Callable[[], None] | None,
    log: Path,
) -> None:
    """Never returns."""
    code = 70
    try:
        os.setpgid(0, 0)
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        for descriptor in (1, 2):
            os.dup2(output, descriptor)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.chdir(folder)
        os.environ.update(environment)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.default_int_handler if number == 2 else signal.SIG_DFL)
        sys.stdout = os.fdopen(1, "w", buffering=1)
        sys.stderr = os.fdopen(2, "w", buffering=1)
        if before:
            before()
        from genlab import console
        from genlab.cli import main

        console.console.cache_clear()
        sys.argv = ["genlab", *words]
        main.main()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
