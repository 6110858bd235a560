"""Evidence: the checker of tickets, and measurements on data."""

from slth.evaluate.checks import Check, Verdict, Verification
from slth.evaluate.learned import LearnedEvaluation, evaluate_learned
from slth.evaluate.measure import Evaluation, Proportion, Sizes, evaluate, sizes
from slth.evaluate.verify import verify

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
