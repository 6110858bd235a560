r"""An error of the whole network, split over its maps: tolerances whose certificate comes out just below it.

A first proportion. Of a dense chain, worst case, for layers i = 1..L and the interval bound $\bar x_{i-1}$ of what
enters layer i:

$$\tau_i = \frac{\varepsilon}{L S_i}, \qquad
S_i = \max_r \bigl(|W_L| \cdots |W_{i+1}| (|\bar x_{i-1}|_1 + 1)\bigr)_r .$$

Of any other graph, with s_i the certified error of the output per unit of τ_i, measured one map at a time, and N_i the
coefficients of map i,

$$\tau_i = \frac{\varepsilon\, N_i}{s_i \sum_k N_k},$$

which minimises the mask bits $\sum N_i \log_2(1/\tau_i)$ under $\sum s_i \tau_i \le \varepsilon$.

That is far from sharp, so all are scaled by one factor s. B(s) is the certificate of the target with errors uniform in
±s τ_i, as those of subset sums are. It is nearly a sum of powers s¹, ..., s^L: a secant step or two on log B over log s
find the largest s with B(s) ≤ 0.9 ε. A heuristic; the certificate of the ticket decides.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from slth._errors import InputError
from slth._shapes import Signed
from slth.certificate import Norms, certify
from slth.construction.recipe import USUAL, Recipe
from slth.construction.width import gain
from slth.graph import Affine, Box, Realised, Standardise, Target, chain_of, signed_inputs
from slth.numerics import Stream, uniform
from slth.ticket import Inputs

AIM = 0.9  # share of the error asked for that the tolerances aim at
_CLOSE = 0.97  # share of the aim that ends the search
_TRIALS = 12  # certificates at most; two or three are usual
_SLOWEST = 0.05  # B grows at least like s to this power where some maps are at their finest tolerance already
_SMALL = 2.0**-24  # of the gain: a tolerance at which errors add up linearly

Tolerances = Mapping[str, float]


def split_error(
    target: Target,
    epsilon: float,
    inputs: Inputs,
    *,
    recipe: Recipe = USUAL,
    finest: Tolerances | None = None,
    norms: Norms | None = None,
) -> dict[str, float]:
    """Tolerances τ of the maps' coefficients, for an error `epsilon` of every output on the box.

    None exceeds the gain of its map's coefficients: beyond that, all of them are pruned anyway. With `finest`, powers
    of two whose `least_error` is at most epsilon, none is below that of its map: the others make up for it.

    Cost: two or three certificates, and one for each map of a graph that is no dense chain; `norms` are those that
    certificates of this target have found before.

    Raises:
        InputError: no input range, or an op through which nothing can be claimed.
    """
    trial = _Trial.of(target, inputs, recipe, norms)
    least = dict.fromkeys(target.graph.maps, 0.0) if finest is None else finest
    most = {path: _gain(affine) for path, affine in target.coefficients.items()}
    first = _worst_case(target, epsilon, trial.box) if chain_of(target.graph) else _sensitive(trial, most, epsilon)
    worst = {path: min(first[path], most[path]) for path in most}

    def tolerances(scale: float) -> dict[str, float]:
        return {path: min(max(scale * tolerance, least[path]), most[path]) for path, tolerance in worst.items()}

    known = min(least[path] / worst[path] for path in most), max(most[path] / worst[path] for path in most)
    scale = _largest(lambda scale: trial.bound(tolerances(scale)), AIM * epsilon, known, len(most))
    return {path: few_bits(tolerance) for path, tolerance in tolerances(scale).items()}


def least_error(
    target: Target, finest: Tolerances, inputs: Inputs, *, recipe: Recipe = USUAL, norms: Norms | None = None
) -> float:
    """The smallest epsilon that can be split where the maps have these tolerances at least. Cost: one certificate."""
    return _Trial.of(target, inputs, recipe, norms).bound(finest) / AIM


@dataclass(frozen=True, slots=True, eq=False)
class _Trial:
    """A target, and noise in ±1 for all of its coefficients."""

    target: Target
    box: Box
    signed: Mapping[str, Signed]
    recipe: Recipe  # says of which maps errors are the same for x⁺ and x⁻
    noise: Mapping[str, tuple[np.ndarray, np.ndarray | None]]
    norms: Norms  # of W, and of P where it is W, in every trial

    @classmethod
    def of(cls, target: Target, inputs: Inputs, recipe: Recipe, norms: Norms | None) -> "_Trial":
        box = inputs.box
        if box is None:
            raise InputError(
                "an error of the whole network needs its input range: give --input-range lo,hi or --data NAME"
            )
        signed = signed_inputs(target.graph, inputs.shape, inputs.negative, target.carried)
        noise = {path: _noise(i, affine) for i, (path, affine) in enumerate(target.coefficients.items())}
        return cls(target, box, signed, recipe, noise, Norms() if norms is None else norms)

    def bound(self, tolerances: Tolerances) -> float:
        """The certificate where every coefficient is off by its noise times τ; τ = 0 for maps that are not named."""
        chosen = {path: tolerances.get(path, 0.0) for path in self.noise}
        parts = {
            path: _perturbed(
                affine,
                chosen[path],
                self.noise[path],
                self.signed[path],
                self.recipe,
            )
            for path, affine in self.target.coefficients.items()
        }
        found = certify(self.target, parts.__getitem__, tolerances=chosen, box=self.box, norms=self.norms)
        if found.sup_error is None:
            raise InputError(
                "nothing is claimed about the outputs of this network, so no error of it can be asked for: claims stop "
                f"at {self._why(found.stops[0])}; give --tolerance, an error of every weight"
            )
        return found.sup_error

    def _why(self, name: str) -> str:
        """A node through which nothing is claimed."""
        op = next(node.op for node in self.target.graph.nodes if node.name == name)
        if isinstance(op, Standardise):
            return (
                f"{name[:200]}, a normalisation whose epsilon is 0, and no floor under its variance is proved on this "
                "input range"
            )
        return name[:200]


def _sensitive(trial: _Trial, most: Tolerances, epsilon: float) -> dict[str, float]:
    """τ_i = ε N_i / (s_i Σ N), s_i the error of the output per unit of τ_i."""
    sizes = {path: op.weights for path, op in trial.target.graph.maps.items()}
    shares = {path: epsilon * size / sum(sizes.values()) for path, size in sizes.items()}
    slopes = {path: trial.bound({path: _SMALL * top}) / (_SMALL * top) for path, top in most.items()}
    return {path: shares[path] / max(slopes[path], 1e-300) for path in sizes}


def few_bits(tolerance: float) -> float:
    """Rounded down to 8 significant bits, so that the last bits of a bound on another machine change no ticket."""
    mantissa, exponent = math.frexp(tolerance)
    return math.ldexp(math.floor(mantissa * 256) / 256, exponent)


def _largest(bound: Callable[[float], float], goal: float, known: tuple[float, float], degree: int) -> float:
    """Nearly the largest s with B(s) ≤ goal, for B growing like s^p, p ≤ degree; starts from s = 1.

    B(s) ≤ goal is known for the first of `known`, and B is constant beyond the second; p ≥ 1 if the first is 0.
    Secant steps in logarithms; where one leaves the bracket B(low) ≤ goal < B(high), the geometric mean.
    """
    (low, ceiling), high, power = known, math.inf, 1.0
    slowest = _SLOWEST if low else 1.0
    scale = min(max(1.0, low), ceiling)
    before: tuple[float, float] | None = None
    for _ in range(_TRIALS):
        found = bound(scale)
        low, high = (scale, high) if found <= goal else (low, scale)
        if low == ceiling or _CLOSE * goal <= found <= goal:
            break
        here = math.log(scale), math.log(max(found / goal, 1e-12))
        if before is not None and here[0] != before[0]:
            power = min(max((here[1] - before[1]) / (here[0] - before[0]), slowest), float(degree))
        before = here
        wanted = math.log((1 + _CLOSE) / 2)
        scale = min(scale * math.exp((wanted - here[1]) / power), ceiling)
        if not low < scale < high:
            scale = math.sqrt(low * high)
    return low or high


def _gain(affine: Affine) -> float:
    return gain(affine.weight.ravel() if affine.bias is None else np.concatenate([affine.weight.ravel(), affine.bias]))


def _worst_case(target: Target, epsilon: float, box: Box) -> dict[str, float]:
    layers = list(target.coefficients.values())
    weights = [np.abs(affine.weight[:, :, 0]) for affine in layers]
    entering: list[float] = []
    reach = np.broadcast_to(np.maximum(np.abs(box.lower), np.abs(box.upper)), weights[0].shape[1:])
    for weight, affine in zip(weights, layers, strict=True):
        entering.append(float(reach.sum()) + 1)
        reach = weight @ reach + (0.0 if affine.bias is None else np.abs(affine.bias))
    tolerances: list[float] = []
    after = np.eye(len(weights[-1]))
    for i in reversed(range(len(layers))):
        size = float((after.sum(axis=1) * entering[i]).max())
        tolerances.append(epsilon / (len(layers) * max(size, 1e-300)))
        after = after @ weights[i]
    return dict(zip(target.coefficients, tolerances[::-1], strict=True))


def _noise(index: int, affine: Affine) -> tuple[np.ndarray, np.ndarray | None]:
    """Errors uniform in ±1 for the two halves of a map and its bias."""
    halves = uniform(Stream(0, f"split_error/{index}/weight"), (2, *affine.shape)).astype(np.float64)
    if affine.bias is None:
        return halves, None
    return halves, uniform(Stream(0, f"split_error/{index}/bias"), affine.bias.shape).astype(np.float64)


def _perturbed(
    affine: Affine, tolerance: float, noise: tuple[np.ndarray, np.ndarray | None], signed: Signed, recipe: Recipe
) -> Realised:
    any_signed = bool(signed.any())
    linear = recipe.linear(signed=any_signed)
    positive, negative = affine.weight + tolerance * noise[0][0], None
    if any_signed and not linear:
        other = -affine.weight + tolerance * noise[0][1] if recipe.halved(signed=True) else -positive
        negative = np.where(signed[None, :, None], other, 0.0)
    bias = None if affine.bias is None or noise[1] is None else affine.bias + tolerance * noise[1]
    return Realised(positive, negative, bias, signed, linear=linear)
