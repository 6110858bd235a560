"""What examples say about a population: a share with a confidence. It is no bound, and stands beside none."""

from dataclasses import dataclass

from slth._errors import InputError
from slth.numerics import stored_bound


@dataclass(frozen=True, slots=True)
class Statistical:
    """Of so many independent examples k predictions changed: with this confidence at most a share q of all do.

    The population is the one that the examples were drawn from, independently, without a look at the ticket.
    """

    data: str
    examples: int  # n
    changed: int  # k
    confidence: float  # over repeated draws of n examples, the claim is true this often at least
    at_most: float  # q

    def __post_init__(self) -> None:
        _check(self.changed, self.examples, self.confidence)
        if not 0 < self.at_most <= 1:
            raise InputError(f"at_most is a share above 0 and at most 1, got {self.at_most!r}")

    @property
    def holds(self) -> bool:
        """Whether the share is as large as the counts and the confidence ask for."""
        return _share(self.changed, self.examples, self.confidence) <= self.at_most


def statistical(data: str, *, changed: int, examples: int, confidence: float = 0.99) -> Statistical:
    """The claim that counts of changed predictions allow.

    >>> statistical("test", changed=0, examples=10_000).at_most < 4.61e-4
    True
    """
    return Statistical(data, examples, changed, confidence, at_most(changed, examples, confidence))


def at_most(changed: int, examples: int, confidence: float) -> float:
    r"""The largest share of changed predictions that k of n leave possible, with confidence c, rounded up.

    $q = \mathrm{BetaInv}(c;\ k + 1,\ n - k)$, and 1 for k = n: for a larger share, k or fewer of n have a probability
    below 1 - c.

    Source: Clopper and Pearson, *The use of confidence or fiducial limits*, Biometrika 26 (1934).
    """
    _check(changed, examples, confidence)
    return min(stored_bound(_share(changed, examples, confidence)), 1.0)


def _share(changed: int, examples: int, confidence: float) -> float:
    from scipy.special import betaincinv

    return 1.0 if changed == examples else float(betaincinv(changed + 1, examples - changed, confidence))


def _check(changed: int, examples: int, confidence: float) -> None:
    if not 0 <= changed <= examples or examples < 1:
        raise InputError(
            f"expected at least one example, and no more changed than there are; got {changed} of {examples}"
        )
    if not 0 < confidence < 1:
        raise InputError(f"confidence: expected a number between 0 and 1 such as 0.99, got {confidence!r}")
