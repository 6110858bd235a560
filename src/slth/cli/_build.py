"""A command from a verb's record: its options, their types, defaults and help texts stand in the record alone."""

import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields
from importlib import import_module
from typing import Annotated, Any

import typer

from slth.cli._notes import notes
from slth.records import verbs


def command(verb: type) -> Callable[..., None]:
    """A function for Typer that makes the record of what was typed and hands it to `run` of the command's module."""
    name = verb.__name__.lower()

    def call(**typed: Any) -> None:
        asked = said(verb, typed)
        verbs.check_places(asked)
        with notes(quiet=getattr(asked, "quiet", False), verbose=getattr(asked, "verbose", False)):
            code = import_module(f"slth.cli._{name}").run(asked)
        raise typer.Exit(code)

    parameters = [
        inspect.Parameter(
            part.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if part.default is MISSING else _typed(part.default),
            annotation=_annotation(part.name, verbs.arguments(verb)[part.name], part.default),
        )
        for part in fields(verb)
        if verbs.arguments(verb)[part.name].flag != "--set" or part.name == "setting"
    ]
    call.__name__, call.__doc__ = name, verb.__doc__
    call.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    call.__signature__ = inspect.Signature(parameters)
    return call


def said(verb: type, typed: dict[str, Any]) -> Any:
    """The record of what was typed."""
    found: dict[str, Any] = {}
    for name, argument in verbs.arguments(verb).items():
        if typed.get(name) is not None:
            found[name] = argument.kind.parse(verbs.flag_of(name, argument), typed[name])
    return verb(**found)


def _annotation(name: str, argument: verbs.Argument, default: Any) -> Any:
    """How Typer describes a parameter."""
    kind = argument.kind.typed | None if default is None else argument.kind.typed
    metavar = argument.metavar or argument.kind.shown
    help = argument.help.replace("{known}", ", ".join(argument.kind.known))
    help = help if argument.unsaid is None else f"{help} Default: {argument.unsaid}."
    if argument.positional:
        return Annotated[kind, typer.Argument(metavar=metavar, help=help, show_default=False)]
    flag = verbs.flag_of(name, argument)
    if argument.kind.typed is bool and default is not False:
        flag = f"{flag}/--no-{flag[2:]}"
    option = typer.Option(
        flag,
        *([argument.short] if argument.short else []),
        metavar=metavar,
        help=help,
        envvar=argument.variable,
        show_default=default is not None and default is not False and default is not MISSING,
    )
    return Annotated[kind, option]


def _typed(default: Any) -> Any:
    """A default as one would type it."""
    return ",".join(map(str, default)) if isinstance(default, tuple) else default
