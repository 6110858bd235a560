r"""Which bound on an operator norm a map can afford: a closed list of rules, chosen by shapes alone.

| rule | a matrix | a convolution | bound / norm |
| --- | --- | --- | --- |
| `spectral` | Gram matrix and Cholesky | its symbol at 16 (k - 1) points per axis | 1 + 1e-7; 3 x 3: 1.01 |
| `grid/12` to `grid/3` | as `spectral` | its symbol at so many (k - 1) points | 3 x 3: 1.02, 1.04, 1.07, 1.17, 1.33 |
| `flattened` | as `spectral` | √taps ‖K as (row, inp · taps)‖₂ or Σ ‖K_p‖₂ | 3 x 3: 1.2 to 1.9 |
| `blocks` | √Σ‖A_i‖₂² of `blocks_of` parts A_i | the same, flattened | two parts: 1.2, three: 1.4, four: 1.5 |

All of random He weights; where a few directions stand out of the noise, `blocks` are within 1 %. On those matrices of
order 1,000 ‖A‖_F is 1.8 to 19 times the norm, √(‖A‖₁ ‖A‖_∞) 3 to 16, ‖AAᵀ‖_F^½ up to 3.7, ‖AAᵀ‖_∞^½ 1.5 to 2.7: none of
them is worth a rule of its own beside blocks of the same cost.

√(‖A‖₁ ‖A‖_∞), and ‖A‖_F of a matrix, stand beside all of them, where they are smaller. Shapes alone decide: what is
measured, or a comparison of two computed numbers, could turn out otherwise on another machine. A claim names its rule,
so that a checker follows it even if these limits move.
"""

import math

SPECTRAL, FLATTENED, BLOCKS = "spectral", "flattened", "blocks"  # rules for norms
NORMS = (SPECTRAL, "grid/12", "grid/8", "grid/6", "grid/4", "grid/3", FLATTENED, BLOCKS)  # the tightest first
PER_WEIGHT = 1.7e4  # operations for each weight and norm: 0.4 µs on one core; of signed inputs η takes up to four times
AT_LEAST = 2e9  # small maps may take so many, 50 ms: they keep the tightest rule


def most_work(weights: int) -> float:
    """Operations that one norm of a map may take."""
    return max(AT_LEAST, PER_WEIGHT * weights)


def matrix_rule(rows: int, columns: int, *, groups: int = 1) -> str:
    """Which of `NORMS` bounds matrices of this shape.

    >>> matrix_rule(4200, 5000), matrix_rule(49152, 12288), matrix_rule(49152, 49152)
    ('spectral', 'spectral', 'blocks')
    """
    work = matrix_work(rows, columns, groups=groups)
    return SPECTRAL if work <= most_work(groups * rows * columns) else BLOCKS


def matrix_work(rows: int, columns: int, *, groups: int = 1, blocks: int = 1) -> float:
    """Operations of Gram matrices and Cholesky factorisations, of so many blocks of the smaller side."""
    m, n = sorted((rows, columns))
    order = m / blocks
    return groups * blocks * (order * order * n + order**3 / 3)


def blocks_of(rows: int, columns: int) -> int:
    """Into how many parts the smaller side is cut, so that their Gram matrices cost what one may."""
    return max(1, math.ceil(min(rows, columns) / (0.75 * PER_WEIGHT)))
