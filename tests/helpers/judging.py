"""Conclusions of made-up measurements."""

from slth import reproductions
from slth.reproductions import Measured, Scale


def judged(name, outcome, scale=Scale.SMOKE):
    """What a reproduction concludes where each of its parts had the outcome that a function of its options gives."""
    one = reproductions.find(name)
    measured = [Measured(part.name, part.options, outcome(**part.options), 0.0) for part in one.parts(scale, 0)]
    found = one.conclude(measured, scale)
    assert found.because.endswith(".")
    assert found.rows
    for figure in found.figures:
        for panel in figure.panels:
            assert panel.content
    return found
