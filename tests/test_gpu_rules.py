"""A GPU's rules, kept by every model: tested in a process of its own.

Torch counts its devices when a process first goes backwards, and the fake one has to be counted.
"""

import subprocess
import sys
from pathlib import Path


def test_every_model_keeps_the_rules_of_a_gpu(environment) -> None:
    rules = Path(__file__).parent / "gpu_rules.py"
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, str(rules)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
