"""Every Python block of the README and every example of a docstring runs; every command and link exists."""

import ast
import doctest
import importlib
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

import slth

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def test_the_python_blocks_of_the_readme_run(tmp_path):
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len(blocks) >= 2
    for block in blocks:
        done = subprocess.run([sys.executable, "-c", block], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def test_the_loops_of_the_methods_run_and_find_something(tmp_path, monkeypatch):
    """Its blocks are one program: a loop for every method, each with a ticket of the digits. Chance is 10 %."""
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs/methods.md").read_text(), re.DOTALL)
    names: dict = {}
    for block in blocks:
        exec(compile(block, "docs/methods.md", "exec"), names)
    tickets = sorted(tmp_path.glob("*.slth"))
    methods = importlib.import_module("slth.learning").METHODS
    assert {slth.load(ticket).provenance.method for ticket in tickets} == set(methods)
    for ticket in tickets:
        assert slth.verify(ticket).holds
        assert slth.load(ticket).provenance.by_hand
        assert slth.evaluate(ticket, "digits").accuracy.value > 0.5


def test_the_commands_of_the_readme_exist():
    used = set(re.findall(r"slth (\w+) ", README))
    helped = subprocess.run([sys.executable, "-m", "slth", "--help"], capture_output=True, text=True).stdout
    assert {"construct", "verify", "evaluate", "show", "export", "train"} <= used
    assert all(f" {command} " in helped for command in used - {"COMMAND"})


def test_the_links_of_the_readme_lead_somewhere():
    for link in re.findall(r"\]\(([^)]+)\)", README):
        assert link.startswith("http") or (ROOT / link.partition("#")[0]).is_file(), link


def test_ci_runs_the_test_command_of_the_readme():
    command = 'pytest -n 2 -m "not slow"'
    assert command in README
    assert command in (ROOT / ".ci/run").read_text()


SOURCE = Path(slth.__file__).parent
RAISE_ON_IMPORT = {
    SOURCE / "search.py",
    SOURCE / "evaluate.py",
    SOURCE / "report.py",
}  # each says what it is called now
FILES = sorted({*SOURCE.rglob("*.py")} - RAISE_ON_IMPORT - {SOURCE / "__main__.py"})
MODULES = {
    ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts).removesuffix(".__init__"): path for path in FILES
}


@pytest.mark.parametrize("name", MODULES)
def test_docstring_examples_run(name):
    """Every one of them: as many are tried as lines of the file begin with >>>."""
    written = re.findall(r"^\s*>>> ", MODULES[name].read_text(), re.MULTILINE)
    assert doctest.testmod(importlib.import_module(name)) == (0, len(written))


def defined(path):
    """The functions and classes at the top of a file."""
    kinds = (ast.FunctionDef, ast.ClassDef)
    return {node.name: node for node in ast.parse(path.read_text()).body if isinstance(node, kinds)}


def test_every_public_name_has_a_docstring():
    """Functions and classes of every package's `__all__`; members may be said by a comment or by their class."""
    for init in SOURCE.rglob("__init__.py"):
        if init.parent.parent.name == "reproductions":
            continue  # its modules are found by name
        public = set(importlib.import_module(".".join(init.parent.relative_to(SOURCE.parent).parts)).__all__)
        assert public, init
        for path in init.parent.rglob("*.py"):
            for name, node in defined(path).items():
                assert name not in public or ast.get_docstring(node), f"{path}: {name}"


@pytest.mark.parametrize(
    ("gone", "new"),
    [("slth.search", "slth.learning"), ("slth.evaluate", "slth.evidence"), ("slth.report", "slth.reporting")],
)
def test_a_package_that_was_renamed_says_its_new_name_and_the_verb_stays(gone, new):
    code = f"""
import slth
try:
    import {gone}
except ImportError as error:
    assert {new!r} in str(error), error
else:
    raise AssertionError
import {new} as package
assert callable({gone}) and package.__name__ == {new!r} and callable({gone})
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
