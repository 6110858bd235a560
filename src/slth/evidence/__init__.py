"""Evidence: the checker of tickets, and measurements on data."""

from slth.evidence.checks import Check, Verdict, Verification
from slth.evidence.measure import Evaluation, Proportion, Sizes, evaluate, sizes, with_claim
from slth.evidence.verify import CHECKS, verify

__all__ = [
    "CHECKS",
    "Check",
    "Evaluation",
    "Proportion",
    "Sizes",
    "Verdict",
    "Verification",
    "evaluate",
    "sizes",
    "verify",
    "with_claim",
]
