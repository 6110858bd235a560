"""What the checks look at."""

from collections.abc import Callable
from dataclasses import dataclass

from slth.graph import Target
from slth.ticket import Ticket

Progress = Callable[[int, int], None]  # weights regenerated, weights in all


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """A ticket, perhaps a target."""

    ticket: Ticket
    target: Target | None
    progress: Progress | None = None
    threads: int = 1
