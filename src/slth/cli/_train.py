"""`slth train`: a network to make tickets of."""

from slth import api
from slth.cli import _print
from slth.records import verbs


def run(asked: verbs.Train) -> int:
    """Train it and write it, and say how large it is."""
    api.use_threads(1)
    with _print.progress("training", asked.quiet) as report:
        tensors = api.train(**verbs.keywords(asked), progress=report)
    _print.wrote_tensors(asked.out, tensors, asked.quiet)
    return 0
