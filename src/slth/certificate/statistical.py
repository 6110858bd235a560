"""What examples say about a population: a share with a confidence. It is no bound, and stands beside none."""

import math
from dataclasses import dataclass
from decimal import ROUND_CEILING, Context, Decimal

from slth._errors import InputError
from slth.numerics import stored_bound


@dataclass(frozen=True, slots=True)
class Statistical:
    """Of so many independent examples k predictions changed: with this confidence at most a share q of all do.

    The population is the one that the examples were drawn from, independently, without a look at the ticket.
    """

    data: str  # names the examples, and so the population
    examples: int  # n
    changed: int  # k
    confidence: float  # over repeated draws of n examples, the claim is true this often at least
    at_most: float  # q

    def __post_init__(self) -> None:
        _check(self.changed, self.examples, self.confidence)
        if not self.data:
            raise InputError("a claim about a population names the data that was drawn from it, got ''")
        if not 0 < self.at_most <= 1:
            raise InputError(f"at_most is a share above 0 and at most 1, got {self.at_most!r}")

    @classmethod
    def from_counts(cls, data: str, *, changed: int, examples: int, confidence: float = 0.99) -> "Statistical":
        """The claim that counts of changed predictions allow.

        >>> Statistical.from_counts("test", changed=0, examples=10_000).at_most < 4.61e-4
        True
        """
        return cls(data, examples, changed, confidence, clopper_pearson(changed, examples, confidence))

    @property
    def holds(self) -> bool:
        """Whether the share is as large as the counts and the confidence ask for."""
        return _share(self.changed, self.examples, self.confidence) <= self.at_most

    @property
    def text(self) -> str:
        """For people; the share is rounded up.

        >>> Statistical.from_counts("test", changed=0, examples=10_000).text[:61]
        'at most 0.0461 % of predictions change, with 99 % confidence,'
        """
        share = float(Context(prec=3, rounding=ROUND_CEILING).multiply(Decimal(repr(self.at_most)), Decimal(100)))
        sure = (Decimal(repr(self.confidence)) * 100).normalize()
        return (
            f"at most {share:.3g} % of predictions change, with {sure:f} % confidence, "
            f"of examples drawn independently, as those of {self.data} were"
        )


def clopper_pearson(changed: int, examples: int, confidence: float) -> float:
    r"""The largest share of changed predictions that k of n leave possible, with confidence c, rounded up.

    $q = \mathrm{BetaInv}(c;\ k + 1,\ n - k)$, and 1 for k = n: for a larger share, k or fewer of n have a probability
    below 1 - c.

    Source: Clopper and Pearson, *The use of confidence or fiducial limits*, Biometrika 26 (1934).
    """
    _check(changed, examples, confidence)
    return min(stored_bound(_share(changed, examples, confidence)), 1.0)


def _share(changed: int, examples: int, confidence: float) -> float:
    """q before it is rounded up; 1, which is always true, where float64 cannot tell."""
    from scipy.special import betaincinv

    if changed == examples:
        return 1.0
    found = float(betaincinv(changed + 1, examples - changed, confidence))
    return 1.0 if math.isnan(found) else found


def _check(changed: int, examples: int, confidence: float) -> None:
    if not 0 <= changed <= examples or examples < 1:
        raise InputError(
            f"expected at least one example, and no more changed than there are; got {changed} of {examples}"
        )
    if not 0 < confidence < 1:
        raise InputError(f"confidence: expected a number between 0 and 1 such as 0.99, got {confidence!r}")
