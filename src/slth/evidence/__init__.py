"""Evidence: the checker of tickets, and measurements on data. What they find are records: `slth.records`."""

from slth.evidence.measure import evaluate, with_claim
from slth.evidence.sizes import sizes
from slth.evidence.verify import CHECKS, verify

__all__ = ["CHECKS", "evaluate", "sizes", "verify", "with_claim"]
