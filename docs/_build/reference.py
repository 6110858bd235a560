"""The reference: one page for each public package, every name of its `__all__` with its docstring.

A name that nothing is said of ends the build, and so does a package that is neither public nor internal.
"""

import importlib
import inspect
import pkgutil
import re
from pathlib import Path

from maths import with_maths

PUBLIC = {
    "slth": "The verbs, one function each with the name of its command, and the ticket.",
    "slth.subsetsum": "Numbers in, subset out.",
    "slth.subsetsum.laws": "Laws of random candidates.",
    "slth.theory": "Every bound as a record.",
    "slth.layers": "PyTorch layers of networks with symmetry.",
    "slth.learning": "Methods that train masks, and one trainer.",
    "slth.sweeps": "Grids of runs, resumable.",
    "slth.records": "Measurements as frozen rows.",
    "slth.data": "Named data sets.",
    "slth.ticket": "The ticket, its gadgets and its file.",
    "slth.graph": "Networks as plain data.",
    "slth.certificate": "Claims, and the plain checker.",
    "slth.numerics": "Random streams, exact sums, directed rounding.",
    "slth.reproductions": "Published results, tried again.",
}
INTERNAL = {"slth.api", "slth.cli", "slth.construction", "slth.evidence", "slth.network", "slth.reporting"}


def packages() -> list[str]:
    """Those of the public ones that are there."""
    return [name for name in PUBLIC if importlib.util.find_spec(name) is not None]


def unplaced() -> set[str]:
    """Packages that are neither public nor internal."""
    slth = importlib.import_module("slth")
    found = {f"slth.{module.name}" for module in pkgutil.iter_modules(slth.__path__) if module.ispkg}
    return found - set(PUBLIC) - INTERNAL


def public_names(package: str) -> list[str]:
    """What a package offers: its `__all__`, or the functions and classes that it defines."""
    module = importlib.import_module(package)
    listed = getattr(module, "__all__", None)
    if listed is not None:
        return [name for name in listed if not name.startswith("__")]
    return [name for name, what in vars(module).items() if not name.startswith("_") and _is_own(what, package)]


def undocumented(package: str) -> list[str]:
    """Public names that nothing is said of: no docstring, and of a constant no comment and no word in its package."""
    module = importlib.import_module(package)
    return [name for name in public_names(package) if not _about(module, name)]


def pages() -> dict[str, str]:
    """The page of every package, and one that lists them.

    Raises:
        SystemExit: naming what is not documented, or not placed.
    """
    if unplaced():
        raise SystemExit(f"docs/_build/reference.py does not say whether these are public: {sorted(unplaced())}")
    silent = [f"{package}.{name}" for package in packages() for name in undocumented(package)]
    if silent:
        raise SystemExit(f"these public names have no docstring: {', '.join(silent)}")
    rows = "\n".join(f"| [`{name}`]({name}.md) | {PUBLIC[name]} | {len(public_names(name))} |" for name in packages())
    index = f"# Reference\n\nEvery public name.\n\n| package | what it is | names |\n| --- | --- | --- |\n{rows}\n"
    return {"reference/index.md": index, **{f"reference/{name}.md": page(name) for name in packages()}}


def page(package: str) -> str:
    """What the package says of itself, then every name."""
    module = importlib.import_module(package)
    names = sorted(public_names(package), key=lambda name: (not _is_code(getattr(module, name)), name.lower()))
    title = f"# {package}\n\n{with_maths(_prose(inspect.getdoc(module) or ''))}"
    return "\n\n".join([title, *(_entry(module, name) for name in names)]) + "\n"


def places() -> list[dict[str, str]]:
    """For the navigation."""
    return [{name: f"reference/{name}.md"} for name in packages()]


def _is_code(what: object) -> bool:
    """A function or a class; types of arrays are constants."""
    if not callable(what) or not getattr(what, "__module__", "").startswith("slth"):
        return False
    return inspect.isfunction(inspect.unwrap(what)) or inspect.isclass(what)


def _is_own(what: object, package: str) -> bool:
    return _is_code(what) and what.__module__ == package


def _entry(module, name: str) -> str:
    what = getattr(module, name)
    if not _is_code(what):
        return f"## {name} {{: #{module.__name__}.{name} }}\n\n{_about(module, name)}"
    place = f"{what.__module__}.{what.__qualname__}"
    owner = max((other for other in packages() if place.startswith(f"{other}.")), key=len)
    if owner != module.__name__ and name in public_names(owner):
        return f"## {name}\n\nIt is [`{owner}.{name}`][{place}]."
    return f"::: {place}\n    options:\n      heading: {name}\n      toc_label: {name}"


def _about(module, name: str) -> str:
    what = getattr(module, name)
    if _is_code(what):
        own = what.__doc__ or ""
        generated = inspect.isclass(what) and own.startswith(f"{name}(")  # a dataclass without one says its fields
        return "" if generated else own
    if inspect.ismodule(what):
        return inspect.getdoc(what) or ""
    said = _comment(module, name)
    return f"{said}\n\n`{_short(what)}`" if said else ""


def _comment(module, name: str) -> str:
    """What is said of a constant: beside it, above it, or in a sentence of its package."""
    folder = Path(module.__file__).parent
    files = sorted(folder.rglob("*.py")) if Path(module.__file__).name == "__init__.py" else [Path(module.__file__)]
    for file in files:
        lines = file.read_text().splitlines()
        for i, line in enumerate(lines):
            if re.match(rf"(\w+, )*{name}\b(: |[^=(]*=[^=])", line):
                beside = line.partition("  # ")[2]
                above = lines[i - 1][2:] if i and lines[i - 1].startswith("# ") else ""
                below = re.match(r'"""(.*?)"""', "\n".join(lines[i + 1 : i + 6]), re.DOTALL)
                if beside or above or below:
                    return beside or above or below[1]
    value = getattr(module, name)
    kinds = {type(one) for one in value.values()} if isinstance(value, dict) else set()
    if len(kinds) == 1 and (kind := kinds.pop()).__doc__ and kind.__module__.startswith("slth"):
        return f"Every `{kind.__name__}` by its name."
    sentences = re.split(r"(?<=\.)\s+", inspect.getdoc(module) or "")
    return " ".join(sentence for sentence in sentences if f"`{name}`" in sentence)


def _short(value: object) -> str:
    text = ", ".join(value) if isinstance(value, dict) and all(isinstance(k, str) for k in value) else repr(value)
    return text if len(text) <= 300 else f"{text[:299]}…"


def _prose(text: str) -> str:
    """A docstring of a module: code that stands by itself in a fence."""
    parts = []
    for block in text.split("\n\n"):
        code = re.match(r"(    |\w[\w.]* = |print\(|slth\.\w+[.(]|>>> )", block)
        parts.append(f"```python\n{inspect.cleandoc(block)}\n```" if code else block)
    return "\n\n".join(parts)
