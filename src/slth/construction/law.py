r"""How likely is it that no subset hits? Laws in closed form, beside the chances that were measured (`chances`).

Everything in units of the gain: targets z, a tolerance t, n candidates x = u·v, u uniform on [½, 1], v on [−1, 1].

A miss is a one-sided draw: nearly all candidates have the wrong sign. To a target z > 0 the positive ones matter that
are small; near 0 they come with density c n / 2 each, c = E[1/u] = 2 ln 2, so that

    P(the positive candidates sum to less than s) ≈ 2⁻ⁿ Σ_k (c n s)ᵏ / k!² = 2⁻ⁿ I₀(2√(c n s)),

I₀ the modified Bessel function. s = z − t is not enough, either: 2ᵇ subsets, b = log₂(1/2t), must lie within reach of
z, and the negative candidates give e^{2√(c n δ)} of them for s = z − t + δ, so that δ = (b ln 2)² / 4cn. Draws of
nearly all candidates with the right sign miss alike, with −z for z. Together, with one constant A that is fitted,

    p(z, n, t) ≈ A 2⁻ⁿ (I₀(E₊) + I₀(E₋)),    E±² = (b ln 2)² ± 4 c n (|z| − t), at least 0;    I₀(E) ≈ e^E / √(2πE).

Where the tolerance is fine, E ≈ b ln 2 ± 2 c z n / (b ln 2): one more bit takes one more candidate, p ≈ C 2^(b−n) with
C about A e^(4|z| n/b) / √(2πb). Where it is coarse C grows with n, and one candidate more does not halve p.

With A = 0.6 the law is within a factor of 4 of the p that was measured for tolerances 2⁻¹ ... 2⁻¹⁴, |z| = 1/12 ... 2/3,
from p = 0.01 down to 10⁻¹⁰; nearer to 1, and at 2⁻²⁰, within a factor of 8: it is too small where two-sided draws miss,
for lack of subsets.

Sources: the law p ≈ C 2^(b−n), Borgs, Chayes, Pittel (2001) for where subset sums become dense; the exponent is new
here."""

import math

import numpy as np
from jaxtyping import Float64

from slth.ticket import MOST_CANDIDATES

DENSITY = 2 * math.log(2)  # c, of |x| at 0
_SCALE = 0.6  # A


def miss_law(z: Float64[np.ndarray, " count"], candidates: int, tolerance: float) -> Float64[np.ndarray, " count"]:
    """p(z, n, t) in closed form, at most 1; 0 where |z| ≤ t: the empty subset hits.

    Args as `chances.miss_probability`, whose table was measured.
    """
    size = np.abs(z)
    return np.where(size <= tolerance, 0.0, np.minimum(np.exp2(log2_law(size, float(candidates), tolerance)), 1.0))


def log2_law(z: Float64[np.ndarray, " count"], candidates: float, tolerance: float) -> Float64[np.ndarray, " count"]:
    """log₂ of the law, for |z| > t; perhaps above 0."""
    fine = max(-math.log(2 * tolerance), 0.0)  # b ln 2
    far = 4 * DENSITY * candidates * np.maximum(np.abs(z) - tolerance, 0.0)
    wrong, right = np.sqrt(fine * fine + far), np.sqrt(np.maximum(fine * fine - far, 0.0))
    return math.log2(_SCALE) - candidates + np.log2(np.i0(wrong) + np.i0(right))


def first_moment(z: float, tolerance: float, *, coordinates: int = 1) -> int:
    """Fewest n with one subset expected within t of z: 2ⁿ (2t N(z; 0, n E[x²]/2))^d ≥ 1. A rule of thumb, no bound.

    For u uniform on [½, 1], v on [−1, 1]: E[x²] = 7/36. Over values and subset, a subset sum has mean 0 and variance
    n E[x²]/2 = 7n/72.
    """
    for n in range(1, MOST_CANDIDATES + 1):
        variance = n * 7 / 72
        normal = math.exp(-z * z / (2 * variance)) / math.sqrt(2 * math.pi * variance)
        if n + coordinates * math.log2(2 * tolerance * normal) >= 0:
            return n
    return MOST_CANDIDATES


def theorem(tolerance: float, failure: float) -> float:
    r"""What the theorem asks for, in units of its constant: n / C = ln(2 / min{t, δ'}).

    For n ≥ C ln(2 / min{t, δ'}) random candidates, with probability at least 1 − δ' every target in [−1, 1] has a
    subset sum within t. C is universal and not known numerically: the formula says how a width grows, not what it is.

    Args:
        tolerance: t > 0, in units of the gain.
        failure: δ' > 0, the chance of a miss allowed to one subset-sum problem.

    Sources: Lueker (1998), corollary 3.3; in this form Pensia et al. (2020).

    >>> round(theorem(1e-3, 2e-8), 2), round(theorem(1e-3, 0.5), 2)
    (18.42, 7.6)
    """
    return math.log(2 / min(tolerance, failure))
