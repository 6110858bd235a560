"""The project's own contracts: lint, types, imports, start-up, documents."""

import ast
import copy
import os
import re
import shutil
import subprocess
import sys
import tomllib
from functools import cache
from importlib import import_module
from pathlib import Path

import grimp
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
        ("import slth.numerics", ["torch", "numba", "scipy"]),
        ("import slth._arguments, slth.records", ["numpy"]),
        ("import slth.subsetsum", ["torch", "numba"]),
        ("import slth.construction", ["torch"]),
        ("import slth.api", ["torch", "sklearn", "matplotlib", "slth.reporting"]),
    ],
)
def test_a_light_import_stays_light(statement, absent):
    code = f"import sys; {statement}; sys.exit(','.join(m for m in {absent!r} if m in sys.modules) or 0)"
    done = run(sys.executable, "-c", code)
    assert done.returncode == 0, done.stderr


def test_no_pickle_and_no_eval_near_a_ticket():
    for folder in ("ticket", "certificate", "graph", "numerics", "evidence"):
        for path in (ROOT / "src/slth" / folder).rglob("*.py"):
            text = path.read_text()
            assert not re.search(r"import pickle|pickle\.|allow_pickle|(?<![.\w])(eval|exec)\(", text), path


def test_only_kernel_files_import_the_compiler():
    for path in (ROOT / "src").rglob("*.py"):
        if not path.name.endswith("_kernels.py"):
            assert not re.search(r"^\s*(import|from) numba", path.read_text(), re.MULTILINE), path


@cache
def import_graph():
    """Who imports whom, also inside functions and for type checking."""
    return grimp.build_graph("slth", cache_dir=None)


def imports():
    """Every import of one module of slth by another."""
    graph = import_graph()
    return {(here, there) for here in graph.modules for there in graph.find_modules_directly_imported_by(here)}


@pytest.mark.parametrize("path", sorted((ROOT / "benchmarks").glob("*.py")), ids=lambda path: path.name)
def test_what_a_benchmark_imports_is_there(path):
    """Nothing else looks at them; a name that is gone would be noticed when somebody measures."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "slth":
            module = import_module(node.module)
            assert not [alias.name for alias in node.names if not hasattr(module, alias.name)], node.module


def package(module):
    """slth.ticket of slth.ticket._fields."""
    return ".".join(module.split(".")[:2])


def through_the_door(here, there):
    """Whether a name was imported from its package: a function may be called like the file that it stands in."""
    owner, _, name = there.rpartition(".")
    lines = [detail["line_contents"] for detail in import_graph().get_import_details(importer=here, imported=there)]
    return all(line.startswith(f"from {owner} import") for line in lines) and name in import_module(owner).__all__


def test_no_package_imports_a_submodule_of_another():
    deep = {
        (here, there)
        for here, there in imports()
        if package(here) != package(there) != there and not through_the_door(here, there)
    }
    asked = [f"{here} imports {there}: import from {package(there)}" for here, there in sorted(deep)]
    assert not asked, "\n".join(asked)


def test_no_module_imports_the_package_it_stands_in():
    """Another circle, which the contract does not see: the package imports its modules."""
    own = {(here, there) for here, there in imports() if here.startswith(f"{there}.")}
    asked = [f"{here} imports {there}: import from the module itself" for here, there in sorted(own)]
    assert not asked, "\n".join(asked)


def test_every_circle_that_is_let_pass_is_still_one():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (acyclic,) = [contract for contract in contracts if contract["type"] == "acyclic_siblings"]
    passed = [tuple(text.split(" -> ")) for text in acyclic.get("ignore_imports", [])]
    for here, there in passed:
        graph = copy.deepcopy(import_graph())
        for other in set(passed) - {(here, there)}:
            graph.remove_import(importer=other[0], imported=other[1])
        assert graph.nominate_cycle_breakers(here.rpartition(".")[0]), f"take {here} -> {there} out of pyproject.toml"
