"""Options that several commands share, and how their texts are read."""

import logging
from pathlib import Path
from typing import Annotated

import typer

from slth._errors import InputError

Ticket = Annotated[Path, typer.Argument(metavar="T.slth", help="The ticket.", show_default=False)]
Target = Annotated[
    Path | None, typer.Option(help="The network the ticket stands for: .safetensors or .pt.", show_default=False)
]
Order = Annotated[
    str | None,
    typer.Option(help="Layer names from input to output: a,b,c, if the file does not tell.", show_default=False),
]
Tolerance = Annotated[
    float | None, typer.Option(help="Largest error of one weight. Default: 1e-4.", show_default=False)
]
Epsilon = Annotated[
    float | None,
    typer.Option(help="Instead: largest certified error of any output on the input range.", show_default=False),
]
FailureProbability = Annotated[float, typer.Option(help="Plan the width so that at most this many weights miss.")]
Candidates = Annotated[
    int | None, typer.Option(help="Random candidates per weight, 1 to 64. Default: planned.", show_default=False)
]
Activation = Annotated[str | None, typer.Option(help="Between the layers: relu.", show_default=False)]
InputRange = Annotated[
    str | None, typer.Option(metavar="LO,HI", help="Range of the network's inputs.", show_default=False)
]
RangeData = Annotated[str | None, typer.Option(help="Take the input range from this data set.", show_default=False)]
DataDir = Annotated[
    Path | None, typer.Option(envvar="SLTH_DATA", help="Folder of the image data sets.", show_default=False)
]
Normalize = Annotated[
    str | None, typer.Option(metavar="MEAN,STD", help="Data becomes (x - mean) / std.", show_default=False)
]
Records = Annotated[Path | None, typer.Option(help="Append the record to this JSON lines file.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of the table.")]
Threads = Annotated[int | None, typer.Option(min=1, help="Workers; default: the processors of this process.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no notes, only the result.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="More notes on stderr.")]


def single_torch_thread() -> None:
    """Train small networks on one thread: on a machine that is busy, two can be tens of times slower."""
    from slth.network import import_torch

    import_torch("training").set_num_threads(1)


def pair(text: str | None, name: str) -> tuple[float, float] | None:
    """Two numbers separated by a comma."""
    if text is None:
        return None
    parts = text.split(",")
    try:
        first, second = (float(part) for part in parts)
    except ValueError as error:
        raise InputError(f"{name} takes two numbers separated by a comma, such as 0,1; got {text!r}") from error
    return first, second


def names(text: str | None) -> list[str] | None:
    """Names separated by commas."""
    return None if text is None else text.split(",")


def set_logging(quiet: bool, verbose: bool) -> None:
    """Notes go to stderr."""
    level = logging.ERROR if quiet else logging.INFO if verbose else logging.WARNING
    logging.basicConfig(level=level, format="slth: %(message)s", force=True)
