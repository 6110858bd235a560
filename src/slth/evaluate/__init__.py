"""Evidence: the checker of tickets, and measurements on data."""

from slth.evaluate.measure import Evaluation, Proportion, Sizes, evaluate, sizes
from slth.evaluate.verify import Check, Verdict, Verification, verify

__all__ = [
    "Check",
    "Evaluation",
    "Proportion",
    "Sizes",
    "Verdict",
    "Verification",
    "evaluate",
    "sizes",
    "verify",
]
