"""Random streams and directed rounding: numbers that mean the same thing everywhere."""

from slth.numerics.rounding import at_most, rounded_up, stored_bound
from slth.numerics.streams import LAWS, Law, Stream, check_seed, draw, uniform, uniform_rows

__all__ = [
    "LAWS",
    "Law",
    "Stream",
    "at_most",
    "check_seed",
    "draw",
    "rounded_up",
    "stored_bound",
    "uniform",
    "uniform_rows",
]
