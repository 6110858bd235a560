"""Evidence: the checker of tickets, and measurements on data. What they find are records: `slth.records`."""

from slth.evidence.comparing import compare
from slth.evidence.measure import evaluate, with_claim
from slth.evidence.sizes import sizes
from slth.evidence.targets import in_words_of, own_target
from slth.evidence.verify import CHECKS, verify

__all__ = ["CHECKS", "compare", "evaluate", "in_words_of", "own_target", "sizes", "verify", "with_claim"]
