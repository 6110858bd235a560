"""Sweeps of `search`: masks learned in random networks. One projected run serves all densities of its ε and seed."""

from pathlib import Path
from typing import Any

from slth.records import verbs
from slth.sweeps._cells import threads
from slth.sweeps._locks import once
from slth.sweeps._verb import Verb, options_of


def _run(options: dict[str, Any], shared: Path) -> dict[str, Any]:
    """Search; the outcome is what the ticket reaches on the test data, after how much training."""
    from slth import api

    search = api.search
    api.use_threads(threads())
    asked: dict[str, Any] = {name: {} for name in verbs.groups(verbs.Search)}
    for name, argument in verbs.swept(verbs.Search).items():
        if not argument.group:
            asked[name] = options[name]
        elif options[name] is not None:
            asked[argument.group][name] = options[name]
    return search(**asked, share=lambda name, make: once(shared / name, make)).outcome()


SEARCH = Verb("search", options_of(verbs.Search), _run)
