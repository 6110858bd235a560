"""Sweeps of `search`: masks learned in random networks. One projected run serves all densities of its ε and seed."""

from pathlib import Path
from typing import Any

from slth.records import verbs
from slth.sweeps._cells import threads
from slth.sweeps._locks import once
from slth.sweeps._verb import Verb, options_of


def _run(options: dict[str, Any], shared: Path, ticket: Path | None = None) -> dict[str, Any]:
    """Search; the outcome is what the ticket reaches on the test data, after how much training."""
    from slth import api

    search = api.search
    api.use_threads(threads())
    found = search(**_asked(options), share=lambda name, make: once(shared / name, make))
    if ticket is not None:
        api.save(found.ticket, ticket, threads=threads())
    return found.outcome()


def _check(options: dict[str, Any]) -> None:
    """Settings that no method, training, policy or architecture takes."""
    from slth import api

    api.check_search(**_asked(options))


def _asked(options: dict[str, Any]) -> dict[str, Any]:
    """What `slth.search` takes: settings go to those who own them."""
    asked: dict[str, Any] = {name: {} for name in verbs.groups(verbs.Search)}
    for name, argument in verbs.swept(verbs.Search).items():
        if not argument.group:
            asked[name] = options[name]
        elif options[name] is not None:
            asked[argument.group][name] = options[name]
    return asked


SEARCH = Verb("search", options_of(verbs.Search), _run, keep=_run, check=_check)
