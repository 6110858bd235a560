"""What a checker says: one verdict per thing it looked at."""

from dataclasses import dataclass
from enum import Enum


class Verdict(Enum):
    """What a check found."""

    HOLDS = "checked, and it holds"
    FAILS = "checked, and it does not hold"
    NOT_CHECKED = "needs the target network: give it with --target, or --model"
    SAYS = "the file says so, and nothing in it can show it"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at."""

    name: str
    verdict: Verdict
    detail: str


@dataclass(frozen=True, slots=True)
class Verification:
    """Everything looked at, in order."""

    checks: tuple[Check, ...]

    @property
    def holds(self) -> bool:
        """Everything that was checked holds; what the file only says was not."""
        return all(check.verdict is not Verdict.FAILS for check in self.checks)

    @property
    def unchecked(self) -> int:
        """How many checks need the target."""
        return sum(check.verdict is Verdict.NOT_CHECKED for check in self.checks)

    @property
    def complete(self) -> bool:
        """Every claim about the target was checked."""
        return not self.unchecked
