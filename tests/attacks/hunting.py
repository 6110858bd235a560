"""Hunts of mutants, started by tests."""

import json
import subprocess
import sys
from pathlib import Path


def hunted(script: str, start: int, count: int, *, timeout: float) -> dict:
    """What a hunt in a process of its own found; it stops at the first crash, hang or lie, and names the mutant."""
    command = [sys.executable, Path(__file__).with_name(script), start, count, 60]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=timeout)
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout)
    assert sum(found["ends"].values()) == count
    return found
