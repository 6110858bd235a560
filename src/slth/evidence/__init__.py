"""Evidence: the checker of tickets, and measurements on data."""

from slth.evidence.checks import Check, Verdict, Verification
from slth.evidence.learned import LearnedEvaluation, evaluate_learned
from slth.evidence.measure import Evaluation, Proportion, Sizes, evaluate, sizes
from slth.evidence.verify import verify

__all__ = [
    "Check",
    "Evaluation",
    "LearnedEvaluation",
    "Proportion",
    "Sizes",
    "Verdict",
    "Verification",
    "evaluate",
    "evaluate_learned",
    "sizes",
    "verify",
]
