"""Grids of runs: resumable, several processes on one folder, a table at the end.

recipe = slth.sweeps.read_recipe("recipe.toml")
sweep = slth.sweeps.run(recipe, "results", workers=4)
print(sweep.table().as_text())

Registry: `VERBS` maps a name to what a recipe can sweep.
"""

from pathlib import Path

from slth.sweeps._cells import threads
from slth.sweeps._construct import CONSTRUCT
from slth.sweeps._heatmap import draw_heatmap
from slth.sweeps._locks import once
from slth.sweeps._processes import on_this_machine, unordered
from slth.sweeps._recipe import Cell, Recipe, read
from slth.sweeps._run import Preview, Sweep, preview, run
from slth.sweeps._search import SEARCH
from slth.sweeps._table import Table
from slth.sweeps._verb import Option, Verb

VERBS: dict[str, Verb] = {verb.name: verb for verb in (CONSTRUCT, SEARCH)}

__all__ = [
    "VERBS",
    "Cell",
    "Option",
    "Preview",
    "Recipe",
    "Sweep",
    "Table",
    "Verb",
    "draw_heatmap",
    "on_this_machine",
    "once",
    "preview",
    "read_recipe",
    "run",
    "threads",
    "unordered",
]


def read_recipe(path: str | Path) -> Recipe:
    """A recipe from its TOML file, for any verb in `VERBS`."""
    return read(path, VERBS)
