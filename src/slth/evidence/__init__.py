"""Evidence: the checker of tickets, and measurements on data. What they find are records: `slth.records`."""

from slth.evidence.constructed import own_target
from slth.evidence.measure import evaluate, sizes, with_claim
from slth.evidence.verify import CHECKS, verify

__all__ = ["CHECKS", "evaluate", "own_target", "sizes", "verify", "with_claim"]
