"""The project's own contracts: lint, types, imports, start-up, documents."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def run(*command, **options):
    return subprocess.run([*map(str, command)], cwd=ROOT, capture_output=True, text=True, **options)


@pytest.mark.parametrize(
    "command",
    [
        ("ruff", "check", "."),
        ("ruff", "format", "--check", "."),
        ("pyright", "--pythonpath", sys.executable),
        ("lint-imports",),
    ],
    ids=" ".join,
)
def test_the_checkers_are_content(command):
    tool = shutil.which(command[0], path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    assert tool, f"{command[0]} is not installed: pip install -e '.[test]'"
    done = run(tool, *command[1:])
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import slth", ["torch", "numba", "numpy.testing", "slth.api"]),
        ("import slth.cli.app", ["torch", "numba", "numpy"]),
        ("import slth._arguments, slth.records", ["numpy"]),
        ("import slth.subsetsum", ["torch", "numba"]),
        ("import slth.construction", ["torch"]),
        ("import slth.api", ["torch", "sklearn", "matplotlib"]),
    ],
)
def test_a_light_import_stays_light(statement, absent):
    code = f"import sys; {statement}; sys.exit(','.join(m for m in {absent!r} if m in sys.modules) or 0)"
    done = run(sys.executable, "-c", code)
    assert done.returncode == 0, done.stderr


def test_no_pickle_and_no_eval_near_a_ticket():
    for folder in ("ticket", "certificate", "numerics", "evidence"):
        for path in (ROOT / "src/slth" / folder).glob("*.py"):
            text = path.read_text()
            assert "pickle" not in text
            assert not re.search(r"(?<![.\w])eval\(", text)


def test_only_kernel_files_import_the_compiler():
    for path in (ROOT / "src").rglob("*.py"):
        if not path.name.endswith("_kernels.py"):
            assert "import numba" not in path.read_text(), path
