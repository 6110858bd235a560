"""The command that searches for a learned ticket again: every setting that it records, none left to a default."""

import shlex
from collections.abc import Iterator, Mapping
from typing import Any, cast

from slth.data import DATA_SETS
from slth.records import verbs
from slth.ticket import Builtin, Ticket

_FLAGS = ("inputs", "classes", "width", "hidden")  # arguments of a network: the first two are told by the data


def search_command(ticket: Ticket, name: str) -> list[str]:
    """Words of `slth search`, written to `name`; nothing if the ticket's network or its data has no name.

    Nor if nobody recorded how it was trained: the loop was the user's own.
    """
    asked = ticket.provenance.asked
    method = asked.get("method")
    built, data = ticket.network, ticket.provenance.data
    trained = isinstance(asked.get("training"), Mapping)
    if not isinstance(built, Builtin) or not isinstance(method, Mapping) or data is None or not trained:
        return []
    settings = cast("Mapping[str, Any]", method)
    if any(key not in _FLAGS and value is not True for key, value in built.arguments.items()):
        return []  # an argument that only Python can say
    data = data if data in DATA_SETS else "DATA.npz"
    words = [
        "slth search",
        f"--data {data}",
        f"--model {shlex.quote(built.name)}",
        f"--method {shlex.quote(str(settings.get('name')))}",
    ]
    groups: list[Mapping[str, Any]] = [settings, *(_mapping(asked.get(part)) for part in ("training", "policy"))]
    shape = {key: built.arguments.get(key) for key in ("width", "hidden")}
    for group in (*groups, shape, {"augment": asked.get("augment")}):
        for key, value in group.items():
            words += _option(key, value) if key != "name" else ()
    return [*words, f"--seed {ticket.seed}", f"--out {name}"]


def python_call(ticket: Ticket) -> list[str]:
    """Lines of Python, for a network or data that the command line cannot name; none for a loop nobody recorded."""
    asked = ticket.provenance.asked
    method = dict(_mapping(asked.get("method")))
    name = method.pop("name", ticket.provenance.method)
    if ticket.provenance.by_hand:
        return []
    built = ticket.network if isinstance(ticket.network, Builtin) else None
    data = ticket.provenance.data if ticket.provenance.data in DATA_SETS else None
    model = "model" if built is None else repr(built.name)
    lines = [f"slth.search({model}, {'data' if data is None else repr(data)}, {name!r}, seed={ticket.seed},"]
    own = {} if built is None else {k: v for k, v in built.arguments.items() if k not in ("inputs", "classes")}
    for keyword, part in (
        ("arguments", own),
        ("options", method),
        ("training", asked.get("training")),
        ("policy", asked.get("policy")),
    ):
        if isinstance(part, Mapping) and part:
            lines.append(f"    {keyword}={dict(cast('Mapping[str, Any]', part))!r},")
    return [*lines, ")"]


def _option(name: str, value: Any) -> Iterator[str]:
    """A setting as the command line spells it; what was not set, or is empty, needs no word."""
    if value is None or value in ([], ()):
        return
    argument = verbs.arguments(verbs.Search).get(name)
    text = ",".join(map(_word, value)) if isinstance(value, (list, tuple)) else _word(value)
    if argument is None or argument.flag == "--set":  # read by its look: 1.0 stays a number, 1 a whole one
        exact = repr(value) if isinstance(value, float) else text
        yield f"--set {shlex.quote(f'{name}={exact}')}"
    elif isinstance(value, bool):
        yield verbs.flag_of(name, argument) if value else f"--no-{name.replace('_', '-')}"
    else:
        yield f"{verbs.flag_of(name, argument)} {shlex.quote(text)}"


def _word(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return "=".join(map(_word, value))  # a pattern and its density
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)


def _mapping(value: Any) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}
