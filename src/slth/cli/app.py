"""The commands of `slth`, one for each verb's record; heavy imports wait until one is run."""

from collections.abc import Sequence
from inspect import cleandoc
from typing import Annotated

import typer

from slth._errors import InputError, command_line
from slth._version import __version__
from slth.cli._build import command
from slth.cli._print import note
from slth.records import verbs

app = typer.Typer(
    name="slth",
    help="Strong lottery tickets: a trained network as a pruned random network, a seed and a bit mask, with a proof.",
    epilog="Exit codes: 0 done and all holds; 1 a claim does not hold or weights missed the tolerance asked for; "
    "2 wrong usage or unusable files; 130 interrupted: each file is as it was before, or whole.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # Rich cuts long names in a narrow terminal
    context_settings={"max_content_width": 120},
)


def run(arguments: Sequence[str]) -> int:
    """Parse and run one command; its exit code.

    Raises:
        KeyboardInterrupt: it was interrupted; with a sentence on what is kept, if anything is.
    """
    try:
        with command_line():
            app(list(arguments), prog_name="slth")
    except SystemExit as stop:
        if isinstance(stop.__context__, BrokenPipeError):  # Rich and Typer make it 1
            return 2
        if stop.code == 130:  # as Typer says it
            raise _interrupt(stop) from None
        return stop.code if isinstance(stop.code, int) else 2
    except InputError as error:
        with command_line():
            note(str(error))
        return 2
    except OSError as error:
        if error.filename is None:  # of a stream: `main` says it
            raise
        note(f"cannot use {error.filename}: {error.strerror}; choose another place")
        return 2
    except MemoryError:
        note("not enough memory for a network of this size; try fewer candidates, or the same on a larger machine")
        return 2
    return 0


def _interrupt(error: BaseException) -> KeyboardInterrupt:
    """The interrupt that made Typer leave."""
    found: BaseException | None = error
    while found is not None and not isinstance(found, KeyboardInterrupt):
        found = found.__context__
    return found or KeyboardInterrupt()


def _version(wanted: bool) -> bool:
    if wanted:
        print(f"slth {__version__}")
        raise typer.Exit
    return wanted


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


for verb in verbs.VERBS:
    first, _, _ = cleandoc(verb.__doc__ or "").partition("\n\n")
    app.command(verb.__name__.lower(), short_help=first)(command(verb))
