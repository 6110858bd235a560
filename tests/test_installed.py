"""The package works wherever it is installed: also where nothing can be written but a temporary folder, or nothing."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
COMMAND = """
import numpy as np
from slth.subsetsum._count_kernels import pairs_up_to
print(pairs_up_to(np.arange(3), np.arange(3), 2))
"""
FOUND = "6\n"


@pytest.fixture
def installed(tmp_path):
    """The package where nobody writes beside the code, not even root; and no home."""
    package = tmp_path / "site"
    shutil.copytree(ROOT / "src" / "slth", package / "slth", ignore=shutil.ignore_patterns("__pycache__"))
    for folder in [package / "slth", *(path for path in (package / "slth").rglob("*") if path.is_dir())]:
        (folder / "__pycache__").touch()
    (tmp_path / "temporary").mkdir()
    environment = {name: os.environ[name] for name in ("PATH", "OMP_NUM_THREADS") if name in os.environ}
    environment |= {"PYTHONPATH": str(package), "TMPDIR": str(tmp_path / "temporary"), "HOME": "/dev/null"}
    return environment


def run(*command, environment, cwd):
    return subprocess.run([sys.executable, *command], capture_output=True, text=True, env=environment, cwd=cwd)


def test_compiled_kernels_are_kept_in_a_private_temporary_folder_where_nothing_else_can_be_written(installed, tmp_path):
    """One line says so, in the process that chose it; nothing is left in the working folder."""
    (tmp_path / "here").mkdir()
    code = f"{COMMAND}\nimport subprocess, sys\nsubprocess.run([sys.executable, '-c', {COMMAND!r}])"
    done = run("-c", code, environment=installed, cwd=tmp_path / "here")
    assert (done.returncode, done.stdout) == (0, 2 * FOUND), done.stderr
    (folder,) = (tmp_path / "temporary").iterdir()
    said = "compiled kernels are kept in {}: neither the installation nor a home can be written\n"
    assert done.stderr == said.format(folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert list(folder.rglob("*.nbc"))
    assert not list((tmp_path / "here").iterdir())


def test_without_a_home_no_folder_of_that_name_is_made(installed, tmp_path):
    (tmp_path / "here").mkdir()
    code = f"import os; os.path.expanduser = lambda path: path\n{COMMAND}"
    done = run("-c", code, environment=installed, cwd=tmp_path / "here")
    assert (done.returncode, done.stdout) == (0, FOUND), done.stderr
    assert not list((tmp_path / "here").iterdir())


def test_a_folder_that_others_may_write_holds_no_code(installed, tmp_path):
    """What lies there would be run: without a place of one's own each process compiles."""
    if sys.platform == "win32":
        pytest.skip("permissions of POSIX")
    folder = tmp_path / "temporary" / f"slth-kernels-{os.getuid()}"
    folder.mkdir()
    folder.chmod(0o777)
    done = run("-c", COMMAND, environment=installed, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, FOUND), done.stderr
    assert re.fullmatch("compiled kernels are not kept, .*NUMBA_CACHE_DIR=FOLDER names one\n", done.stderr)
    assert not list(folder.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize("command", [["construct"], ["search", "--epochs", "1"]], ids=lambda command: command[0])
def test_a_command_works_on_the_embedded_data(installed, tmp_path, command):
    done = run("-m", "slth", *command, environment=installed, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("compiled kernels are kept in") == 1
    assert "Traceback" not in done.stderr


def test_every_kernel_is_compiled_by_the_one_function_that_finds_a_place():
    for path in (ROOT / "src").rglob("*_kernels.py"):
        if path != ROOT / "src" / "slth" / "_kernels.py":
            assert not re.search(r"\bnumba\b|\bn?jit\b", path.read_text()), path
