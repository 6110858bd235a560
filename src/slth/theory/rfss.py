"""Random fixed-size subset sum: subsets of exactly k numbers (Natale et al., 2024)."""

import math
from collections.abc import Mapping

from slth.theory._numbers import entropy, least_n
from slth.theory._theorem import Assumption, Constant, Direction, Letter, Number, Standing, Theorem, Unit, Variant

_K = Letter(meaning="the size of the subset", whole=True, least=1, most=10**9)
_SUM_BOUNDED = Assumption(
    says="the numbers are independent with a sum-bounded law: the sum of k has density at most c_u / sqrt(k), and at "
    "least c_l / sqrt(k) on [-sqrt(k), sqrt(k)] (normal laws; U[-1, 1] with c_l = 0.154, c_u = 0.708)"
)
_HYP = Constant(
    meaning="of Theorem 2: at least 1",
    value=2.2,
    standing=Standing.FITTED,
    note="fitted with c_thm = 1/2: fewer numbers than promised reach the hardest target sqrt(k) in less than half of "
    "3,000 draws from U[-1, 1], k = 2 ... 6, epsilon = 0.95 ... 0.03, up to c_hyp = 2.0 (k = 2, epsilon = 0.5); "
    "for k = 1, exactly, up to 2.16 (epsilon = 0.41); at most 1.4 at epsilon = 0.03",
)
AMP = Constant(
    meaning="of Corollary 1: 8 c_hyp / c_thm in the source, which gives neither",
    value=4.0,
    standing=Standing.FITTED,
    note="the least n that fails at most epsilon of the time, all subsets of k numbers of U[-1, 1]: for k = 1, "
    "exactly, at most 3.90 (epsilon near 1/2), 2.6 at epsilon = 0.4; by brute force 1.5 at k = 2, epsilon = 0.49, 0.4 "
    "at k = 2 ... 6, epsilon = 0.05",
)


def least_of_size(k: int, right: float) -> Number:
    """The least n >= 2 k with n H2(k / n) >= right. The left side has the derivative log2(n / (n - k)) > 0 in n."""
    slack = 1 + 1e-12
    return least_n(lambda n: n * entropy(k / n) >= right * slack, least=2 * k)


def _theorem(*, k: int, epsilon: float, c_hyp: float) -> Number:
    return least_of_size(k, c_hyp * math.log2(k / epsilon))


def _all_targets(*, k: int, epsilon: float, c_amp: float) -> Number:
    return least_of_size(k, c_amp * math.log2(k / epsilon) ** 2)


def _large(*, k: int, epsilon: float, c_amp: float) -> Number:
    return least_of_size(k, 2 * c_amp * math.log2(1 / epsilon) ** 2)


def least_large_k(epsilon: float, c_amp: float) -> Number:
    """The least k with k >= 2 c_amp (log2(k)^2 + 2 log2(k) log2(1 / epsilon)) for itself and all larger ones.

    k / log2(k)^2 and k / log2(k) rise from k = 8 on, as sqrt(k) / log2(k) does from e^2.
    """
    return least_n(lambda k: _is_large(k, epsilon, c_amp), least=8)


def _is_large(k: float, epsilon: float, c_amp: float) -> bool:
    log = math.log2(k)
    return k >= 2 * c_amp * (log * log + 2 * log * math.log2(1 / epsilon))


def _large_enough(at: Mapping[str, Number]) -> bool:
    return _is_large(at["k"], at["epsilon"], at["c_amp"])


def _squared(*, k: int, epsilon: float, c_hyp: float) -> Number:
    return _all_targets(k=k, epsilon=epsilon, c_amp=c_hyp)


def _one_logarithm(*, k: int, epsilon: float, c_amp: float) -> Number:
    return _theorem(k=k, epsilon=epsilon, c_hyp=c_amp)


RFSS = Theorem(
    name="rfss",
    title="subsets of exactly k random numbers reach one target, with constant probability",
    says="Of n numbers, n >= c_hyp log2(k / epsilon) / H2(k / n) and n >= 2 k, some subset of exactly k sums to within "
    "epsilon of z, for any one z in [-sqrt(k), sqrt(k)], with probability at least c_thm. H2 is the binary entropy.",
    gives="n, random numbers for one target",
    unit=Unit.CANDIDATES,
    direction=Direction.SUFFICIENT,
    letters={
        "k": _K,
        "epsilon": Letter(meaning="the largest error of a sum", above=0, below=1, trend="falls"),
    },
    constants={"c_hyp": _HYP},
    assumes=(
        _SUM_BOUNDED,
        Assumption(says="k <= n / 2 (the source has any k <= lambda n, lambda < 1)"),
    ),
    sources=("natale2024",),
    place="Theorem 2",
    value=_theorem,
    variants=(
        Variant(
            name="log2^2 (Corollary 1)",
            why="it asks for all targets at once, with probability 1 - epsilon: see rfss-all; here with c_hyp for "
            "c_amp",
            value=_squared,
        ),
    ),
    against="epsilon",
    note="n stands on both sides; the least whole one is found by bisection. c_thm is not given: with this c_hyp it "
    "was at least 1/2 in every case that was fitted.",
    measured="One target of U[-1, 1] at epsilon = 0.01, numbers of U[-1, 1], 200,000 draws each: (n, k) = (16, 4) "
    "0.991, (16, 8) 0.978, (20, 2) 0.734, (20, 3) 0.992, (20, 5) 0.999, (40, 2) 0.990.",
)

RFSS_ALL = Theorem(
    name="rfss-all",
    title="subsets of exactly k random numbers reach all targets at once",
    says="Of n numbers, n >= c_amp log2(k / epsilon)^2 / H2(k / n) and n >= 2 k, subsets of exactly k sum to within "
    "epsilon of every z in [-sqrt(k), sqrt(k)], with probability at least 1 - epsilon.",
    gives="n, random numbers for one target",
    unit=Unit.CANDIDATES,
    direction=Direction.SUFFICIENT,
    letters={
        "k": _K,
        "epsilon": Letter(
            meaning="the largest error of a sum, and the chance of failure", above=0, below=0.5, trend="falls"
        ),
    },
    constants={"c_amp": AMP},
    assumes=(
        Assumption(says="the numbers are independent, and their law contains U[-1, 1] with a constant weight"),
        Assumption(says="k <= n / 2"),
    ),
    sources=("natale2024",),
    place="Corollary 1",
    value=_all_targets,
    variants=(
        Variant(
            name="one logarithm (Theorem 2)",
            why="it speaks of one target and of constant probability; here with c_amp for c_hyp",
            value=_one_logarithm,
        ),
    ),
    against="epsilon",
    note="The proof amplifies Theorem 2 on (4 / c_thm) ln(k / epsilon) parts of the numbers, so that it needs k to be "
    "that much smaller than n; for a constant density `lueker` says more.",
    measured="All of [-sqrt(k), sqrt(k)] with 95 %, epsilon = 0.05, numbers of U[-1, 1]: n = 173 for k = 1, exactly, "
    "40, 26, 22, 22, 22 for k = 2 ... 6 (2,500 draws and more); this says far more: log2^2 is not what is seen, and "
    "for a fixed k n grows like 2^(c log2(1 / epsilon)^2 / k), where a power of 1 / epsilon is enough.",
)

RFSS_LARGE = Theorem(
    name="rfss-large",
    title="subsets of exactly k random numbers, k large",
    says="If k >= 2 c_amp (log2(k)^2 + 2 log2(k) log2(1 / epsilon)), then n >= 2 c_amp log2(1 / epsilon)^2 / H2(k / n) "
    "and n >= 2 k are enough for `rfss-all`.",
    gives="n, random numbers for one target",
    unit=Unit.CANDIDATES,
    direction=Direction.SUFFICIENT,
    letters={
        "k": _K,
        "epsilon": Letter(
            meaning="the largest error of a sum, and the chance of failure", above=0, below=0.5, trend="falls"
        ),
    },
    constants={"c_amp": AMP},
    assumes=(
        Assumption(says="the numbers are independent, and their law contains U[-1, 1] with a constant weight"),
        Assumption(
            says="k is at least 2 c_amp (log2(k)^2 + 2 log2(k) log2(1 / epsilon))",
            holds=_large_enough,
        ),
    ),
    sources=("natale2024",),
    place="Corollary 2",
    value=_large,
    against="k",
    note="It follows from Corollary 1 by n H2(k / n) >= 2 k for k <= n / 2; half of the left side pays for log2(k), "
    "and even k >= c_amp (...) would be enough.",
)
