r"""An error of the whole network, split over its layers: tolerances whose certificate comes out just below it.

Worst case, for layers i = 1..L and the interval bound $\bar x_{i-1}$ of what enters layer i:

$$\tau_i = \frac{\varepsilon}{L S_i}, \qquad
S_i = \max_r \bigl(|W_L| \cdots |W_{i+1}| (|\bar x_{i-1}|_1 + 1)\bigr)_r .$$

That is far from sharp, so all are scaled by one factor s. B(s) is the certificate of the target with errors uniform in
±s τ_i, as those of subset sums are. It is nearly a sum of powers s¹, ..., s^L: a secant step or two on log B over log s
find the largest s with B(s) ≤ 0.9 ε. A heuristic; the certificate of the ticket decides.
"""

import math
from collections.abc import Callable

import numpy as np

from slth._errors import InputError
from slth._shapes import Signed
from slth.certificate import certify
from slth.construction.width import gain
from slth.graph import Affine, Box, Realised, Target, signed_inputs
from slth.numerics import Stream, uniform
from slth.ticket import Inputs

AIM = 0.9  # share of the error asked for that the tolerances aim at
_CLOSE = 0.97  # share of the aim that ends the search
_TRIALS = 12  # certificates at most; two or three are usual


def split_error(target: Target, epsilon: float, inputs: Inputs) -> dict[str, float]:
    """Tolerances τ of the maps' coefficients, for an error `epsilon` of every output on the box.

    None exceeds the gain of its map's coefficients: beyond that, all of them are pruned anyway.

    Cost: two or three certificates.

    Raises:
        InputError: no input range.
    """
    box = inputs.box
    if box is None:
        raise InputError("an error of the whole network needs its input range: give --input-range lo,hi or --data NAME")
    layers = target.coefficients
    most = [_gain(layer) for layer in layers.values()]
    worst = [min(t, m) for t, m in zip(_worst_case(list(layers.values()), epsilon, box), most, strict=True)]
    noise = [_noise(i, layer) for i, layer in enumerate(layers.values())]
    signed = signed_inputs(target.graph, inputs.shape, inputs.negative, target.carried)

    def tolerances(scale: float) -> dict[str, float]:
        return {path: min(scale * t, m) for path, t, m in zip(layers, worst, most, strict=True)}

    def bound(scale: float) -> float:
        chosen = tolerances(scale)
        parts = {
            path: _perturbed(layer, chosen[path], part, signed[path])
            for (path, layer), part in zip(layers.items(), noise, strict=True)
        }
        return certify(target, parts, tolerances=chosen, box=box).sup_error or 0.0

    ceiling = max(m / t for t, m in zip(worst, most, strict=True))
    scale = _largest(bound, AIM * epsilon, ceiling, len(layers))
    return {path: few_bits(t) for path, t in tolerances(scale).items()}


def few_bits(tolerance: float) -> float:
    """Rounded down to 8 significant bits, so that the last bits of a bound on another machine change no ticket."""
    mantissa, exponent = math.frexp(tolerance)
    return math.ldexp(math.floor(mantissa * 256) / 256, exponent)


def _largest(bound: Callable[[float], float], goal: float, ceiling: float, degree: int) -> float:
    """Nearly the largest s ≤ ceiling with B(s) ≤ goal, for B growing like s^p, 1 ≤ p ≤ degree; starts from s = 1.

    Secant steps in logarithms; where one leaves the bracket B(low) ≤ goal < B(high), the geometric mean.
    """
    scale, low, high, power = 1.0, 0.0, math.inf, 1.0
    before: tuple[float, float] | None = None
    for _ in range(_TRIALS):
        found = bound(scale)
        low, high = (scale, high) if found <= goal else (low, scale)
        if low == ceiling or _CLOSE * goal <= found <= goal:
            break
        here = math.log(scale), math.log(max(found / goal, 1e-12))
        if before is not None and here[0] != before[0]:
            power = min(max((here[1] - before[1]) / (here[0] - before[0]), 1.0), float(degree))
        before = here
        wanted = math.log((1 + _CLOSE) / 2)
        scale = min(scale * math.exp((wanted - here[1]) / power), ceiling)
        if not low < scale < high:
            scale = math.sqrt(low * high)
    return low or high


def _gain(layer: Affine) -> float:
    return gain(layer.weight.ravel() if layer.bias is None else np.concatenate([layer.weight.ravel(), layer.bias]))


def _worst_case(target: list[Affine], epsilon: float, box: Box) -> list[float]:
    weights = [np.abs(layer.weight[:, :, 0]) for layer in target]
    entering: list[float] = []
    reach = np.broadcast_to(np.maximum(np.abs(box.lower), np.abs(box.upper)), weights[0].shape[1:])
    for weight, layer in zip(weights, target, strict=True):
        entering.append(float(reach.sum()) + 1)
        reach = weight @ reach + (0.0 if layer.bias is None else np.abs(layer.bias))
    tolerances: list[float] = []
    after = np.ones(target[-1].weight.shape[0])[:, None] * np.eye(target[-1].weight.shape[0])
    for i in reversed(range(len(target))):
        size = float((after.sum(axis=1) * entering[i]).max())
        tolerances.append(epsilon / (len(target) * max(size, 1e-300)))
        after = after @ weights[i]
    return tolerances[::-1]


def _noise(index: int, layer: Affine) -> tuple[np.ndarray, np.ndarray | None]:
    """Errors uniform in ±1 for the two halves of a layer and its bias."""
    halves = uniform(Stream(0, f"split_error/{index}/weight"), (2, *layer.weight.shape)).astype(np.float64)
    if layer.bias is None:
        return halves, None
    return halves, uniform(Stream(0, f"split_error/{index}/bias"), layer.bias.shape).astype(np.float64)


def _perturbed(
    layer: Affine, tolerance: float, noise: tuple[np.ndarray, np.ndarray | None], signed: Signed
) -> Realised:
    positive = layer.weight + tolerance * noise[0][0]
    negative = np.where(signed[None, :, None], -layer.weight + tolerance * noise[0][1], 0.0) if signed.any() else None
    bias = None if layer.bias is None or noise[1] is None else layer.bias + tolerance * noise[1]
    return Realised(positive, negative, bias, signed)
