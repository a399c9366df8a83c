"""Requests to SLURM."""

import os
import shutil
import subprocess


def requeue() -> bool:
    """Ask SLURM to start this job again; returns whether it will, False outside of SLURM."""
    job = os.environ.get("SLURM_JOB_ID")
    scontrol = shutil.which("scontrol")
    if not job or not scontrol:
        return False
    if array := os.environ.get("SLURM_ARRAY_JOB_ID"):
        job = f"{array}_{os.environ['SLURM_ARRAY_TASK_ID']}"
    done = subprocess.run([scontrol, "requeue", job], capture_output=True, timeout=60, check=False)
    return done.returncode == 0
