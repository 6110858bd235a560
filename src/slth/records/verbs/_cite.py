"""What can be asked of `cite`."""

from dataclasses import dataclass
from typing import Annotated

from slth.records.verbs import _shared
from slth.records.verbs._argument import Argument, check
from slth.records.verbs._kinds import TEXTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Cite:
    """The papers that a ticket, gadget, objective, law, method, bound or reproduction rests on, as BibTeX."""

    what: Annotated[
        tuple[str, ...],
        Argument(
            TEXTS,
            "Tickets; names such as two-layer, exactly, normal/20, biprop, pensia-lower; keys of papers.",
            positional=True,
            metavar="T.slth|NAME...",
        ),
    ]
    as_json: _shared.Json = False

    def __post_init__(self) -> None:
        check(self)
