"""Random streams, upper bounds in float64, norms, directed rounding: numbers that mean the same thing everywhere.

`word_at`, `fill_line` and `uniform_of` are compiled forms, for kernels that read words themselves, `lowest_one` tells
them the first bit of a word that is 1; they load the compiler on use, and therefore do not come with `import *`.
"""

from typing import TYPE_CHECKING, Any

from slth.numerics.bounds import FLOOR, above, matmul_bound, norm_bound, product_bound, slack
from slth.numerics.convolutions import convolution_norm_bound, convolution_rule, convolution_work
from slth.numerics.formats import FORMATS, Format, from_format, half_gap, rounded_to, to_format
from slth.numerics.laws import EXACT_TERMS, LAWS, SOURCE_LAWS, Law, SourceLaw, from_words, source_law
from slth.numerics.norms import Parts, spectral_norm_bound
from slth.numerics.quotients import outward_quotient
from slth.numerics.rates import finest_bit, half_step, packing_bits, quantiser_bits
from slth.numerics.rounding import at_most, rounded_up, stored_bound
from slth.numerics.streams import Stream, check_seed, draw, draw_rows, uniform, values_at, words
from slth.numerics.sums import is_further, rounded_sum, two_sum
from slth.numerics.threads import one_thread
from slth.numerics.work import BLOCKS, NORMS, SPECTRAL, blocks_of, matrix_rule, matrix_work, most_work

if TYPE_CHECKING:
    from slth.numerics._kernels import fill_line as fill_line
    from slth.numerics._kernels import lowest_one as lowest_one
    from slth.numerics._kernels import uniform_of as uniform_of
    from slth.numerics._kernels import word_at as word_at

__all__ = [
    "BLOCKS",
    "EXACT_TERMS",
    "FLOOR",
    "FORMATS",
    "LAWS",
    "NORMS",
    "SOURCE_LAWS",
    "SPECTRAL",
    "Format",
    "Law",
    "Parts",
    "SourceLaw",
    "Stream",
    "above",
    "at_most",
    "blocks_of",
    "check_seed",
    "convolution_norm_bound",
    "convolution_rule",
    "convolution_work",
    "draw",
    "draw_rows",
    "finest_bit",
    "from_format",
    "from_words",
    "half_gap",
    "half_step",
    "is_further",
    "matmul_bound",
    "matrix_rule",
    "matrix_work",
    "most_work",
    "norm_bound",
    "one_thread",
    "outward_quotient",
    "packing_bits",
    "product_bound",
    "quantiser_bits",
    "rounded_sum",
    "rounded_to",
    "rounded_up",
    "slack",
    "source_law",
    "spectral_norm_bound",
    "stored_bound",
    "to_format",
    "two_sum",
    "uniform",
    "values_at",
    "words",
]


def __getattr__(name: str) -> Any:
    if name not in ("fill_line", "lowest_one", "uniform_of", "word_at"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from slth.numerics import _kernels

    return getattr(_kernels, name)
