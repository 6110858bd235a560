"""`slth export`: the network that a ticket stands for, as a file."""

from slth import api
from slth.cli import _print
from slth.records import verbs


def run(asked: verbs.Export) -> int:
    """Write it, and say how large it is."""
    _print.wrote_tensors(asked.out, api.export(**verbs.keywords(asked)))
    return 0
