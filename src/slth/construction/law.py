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

Another law of u and v (u given that it is at least ½) has another density c = 2 f_v(0) E[1/u] at 0, if it has any, and
its own constant A: normal, c = 0.84 and A = 1.2. Of a randomly pruned source, and of any law that contains a uniform,
k candidates are uniform, k binomial: p = Σ_k B(k; n, P) p_uniform(k). A hyperbolic law has no density at 0, and no law
here; mirrored pairs have none either: their misses fall faster than any exponential.

Sources: the law p ≈ C 2^(b−n), Borgs, Chayes, Pittel (2001) for where subset sums become dense; the exponent is new
here."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from slth.numerics import source_law
from slth.ticket import MOST_CANDIDATES


@dataclass(frozen=True, slots=True)
class Live:
    """What the formulas need to know of candidates u·v, u ≥ ½."""

    square: float  # E[x²]
    density: float | None = None  # c, of |x| at 0; None: without bound there
    scale: float = 1.0  # A, fitted


def _hyperbolic(octaves: int) -> Live:
    return Live(0.375 / math.log(2) * (1 - 4.0**-octaves) / (2 * octaves * math.log(2)))


LIVE = {
    "uniform": Live(7 / 36, 2 * math.log(2), 0.6),
    "normal/20": Live(1.5705, 0.8374, 1.2),
    "hyperbolic/4": _hyperbolic(4),
    "hyperbolic/8": _hyperbolic(8),
}


def miss_law(
    z: Float64[np.ndarray, " count"], candidates: int, tolerance: float, *, source: str = "uniform"
) -> Float64[np.ndarray, " count"]:
    """p(z, n, t) in closed form, at most 1; 0 where |z| ≤ t: the empty subset hits. NaN where there is no such law.

    Args as `chances.miss_probability`, whose tables were measured.
    """
    size = np.abs(z)
    if source in LIVE and LIVE[source].density is not None:
        found = np.exp2(np.minimum(log2_law(size, float(candidates), tolerance, source), 0.0))
    elif source == "centred" or source_law(source).uniform == 0:
        grid = source.startswith("grid/")
        return miss_law(z, candidates, tolerance) if grid else np.full(len(size), math.nan)
    else:
        each = [np.ones(len(size)), *(miss_law(size, k, tolerance) for k in range(1, candidates + 1))]
        found = binomial(candidates, source_law(source).uniform) @ np.array(each)
    return np.where(size <= tolerance, 0.0, np.minimum(found, 1.0))


def binomial(n: int, share: float) -> Float64[np.ndarray, " k"]:
    """B(k; n, P) for k = 0 ... n.

    >>> binomial(2, 0.5)
    array([0.25, 0.5 , 0.25])
    """
    return np.array([math.comb(n, k) * share**k * (1 - share) ** (n - k) for k in range(n + 1)])


def log2_law(
    z: float | Float64[np.ndarray, " count"],
    candidates: float | Float64[np.ndarray, " count"],
    tolerance: float,
    source: str = "uniform",
) -> Float64[np.ndarray, " count"]:
    """log₂ of the law, for |z| > t; perhaps above 0. For sources with a density at 0; z or n may be one number."""
    density, scale = LIVE[source].density or math.nan, LIVE[source].scale
    fine = max(-math.log(2 * tolerance), 0.0)  # b ln 2
    far = 4 * density * candidates * np.maximum(np.abs(z) - tolerance, 0.0)
    wrong, right = np.sqrt(fine * fine + far), np.sqrt(np.maximum(fine * fine - far, 0.0))
    return math.log2(scale) - candidates + np.log2(np.i0(wrong) + np.i0(right))


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
