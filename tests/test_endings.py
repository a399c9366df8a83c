"""A command ends by an exit code, whenever a signal comes."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

_SCRIPT = """
import atexit, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # nohup has it ignored
from genlab.cli import main as cli
def ready(): print("ready", flush=True); time.sleep(20)
moment = sys.argv[1]
def command():
    if moment == "during":
        ready()
    if moment == "after":
        atexit.register(ready)
    sys.exit(3)
cli.command = command
cli.main()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("moment", ["during", "after"])
def test_signals_give_exit_codes(number: signal.Signals, moment: str, tmp_path: Path) -> None:
    """Stopped while it works, and with its own code once all is done."""

    command = [sys.executable, "-c", _SCRIPT, moment]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=tmp_path) as process:
        assert process.stdout
        process.stdout.readline()
        process.send_signal(number)
        assert process.wait(10) == (128 + number if moment == "during" else 3)
