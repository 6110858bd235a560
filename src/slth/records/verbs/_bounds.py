"""What can be asked of `bounds`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from slth import _arguments
from slth._errors import InputError
from slth.records.verbs import _shared
from slth.records.verbs._argument import Argument, arguments, check
from slth.records.verbs._kinds import FILE, SETTINGS, TEXTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What the theorems say: a list of all; of some statement, number, assumptions, constants and source.

    --set gives their letters: d=10 epsilon=0.01. One letter may have several values, epsilon=0.1,0.01 for a table, or a
    range, epsilon=1e-1..1e-6 or n=10..40 for a curve; a second one, with a few values, makes a curve for each.
    """

    names: Annotated[
        tuple[str, ...] | None,
        Argument(
            TEXTS,
            "The bounds, such as lueker, pensia, natale; several share one table or picture. None: a list of all.",
            positional=True,
            metavar="[NAME...]",
        ),
    ] = None
    setting: Annotated[
        Mapping[str, Any] | None,
        Argument(
            SETTINGS,
            "Letters and constants: --set d=10 epsilon=0.01, with one --set or several.",
            flag="--set",
            command=True,
        ),
    ] = None
    out: Annotated[
        Path | None,
        Argument(FILE, "Draw the curves into this .svg, .png or .pdf.", written="picture", asked=False),
    ] = None
    force: _shared.Force = False
    as_json: _shared.Json = False
    quiet: _shared.Quiet = False

    def __post_init__(self) -> None:
        check(self)
        named = self.names or ()
        pairs = [name for name in named if "=" in name]  # what follows --set NAME=VALUE on the command line
        given = _arguments.settings_in("--set", pairs, beside=self.setting)
        option = next((name for name in given if name in arguments(self)), None)
        if option is not None:
            raise InputError(f"--set gives the letters of bounds, and {option} is none; slth bounds NAME lists them")
        object.__setattr__(self, "names", tuple(name for name in named if name not in pairs) or None)
        object.__setattr__(self, "setting", given)
