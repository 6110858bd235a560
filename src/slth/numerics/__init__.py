"""Random streams, upper bounds in float64, norms, directed rounding: numbers that mean the same thing everywhere."""

from slth.numerics.bounds import FLOOR, above, matmul_bound, norm_bound, product_bound, slack
from slth.numerics.norms import spectral_norm_bound
from slth.numerics.rounding import at_most, rounded_up, stored_bound
from slth.numerics.streams import LAWS, Law, Stream, check_seed, draw, uniform, uniform_rows

__all__ = [
    "FLOOR",
    "LAWS",
    "Law",
    "Stream",
    "above",
    "at_most",
    "check_seed",
    "draw",
    "matmul_bound",
    "norm_bound",
    "product_bound",
    "rounded_up",
    "slack",
    "spectral_norm_bound",
    "stored_bound",
    "uniform",
    "uniform_rows",
]
