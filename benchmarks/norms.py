"""What the certificate of one map costs beside solving it, and how far its norms are above the truth.

    OMP_NUM_THREADS=1 python benchmarks/norms.py

Random He weights, each off by up to 2^-9, inputs in [0, 1] that are off by up to 0.01, so that ‖P‖ is asked for, too.
Microseconds of processor per weight, one thread. "Solving": `within` alone, on 2^17 of the weights and as many
candidates as are planned. "Rest": all of the certificate but the norms. η and ‖W‖ over the norm: that of a matrix by
ARPACK (`scipy.sparse.linalg.svds`); of a convolution the largest of its symbol on `POINTS` points per axis, half of
them by symmetry: a lower bound, so that the truth is closer than is said. Below: each rule on smaller maps.
"""

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.sparse.linalg import svds

from slth.certificate.errors import MapErrors, map_errors
from slth.certificate.reach import Reach
from slth.certificate.rules import through_linear
from slth.construction import Request, plan_layout, within
from slth.graph import INPUT, Affine, Basis, Conv, Dense, Graph, Linear, Node, Realised, Target
from slth.numerics import NORMS, Stream, convolution_norm_bound, spectral_norm_bound, uniform
from slth.records import environment
from slth.ticket import Inputs

TOLERANCE = 2.0**-9
PROBLEMS = 2**17
POINTS = 12  # of a symbol per axis


def conv(inp: int, out: int, k: int, stride: int = 1) -> Conv:
    return Conv(inp, out, (k, k), (stride, stride), (k // 2,) * 4, (1, 1))


MAPS: dict[str, tuple[Basis, tuple[int, ...]]] = {
    "784 x 500": (Dense(784, 500), (784,)),
    "784 x 5,000": (Dense(784, 5000), (784,)),
    "3,000 x 2,600": (Dense(3000, 2600), (3000,)),
    "5,000 x 4,200": (Dense(5000, 4200), (5000,)),
    "64 to 64, 3 x 3": (conv(64, 64, 3), (64, 56, 56)),
    "128 to 128, 3 x 3": (conv(128, 128, 3), (128, 28, 28)),
    "256 to 256, 3 x 3": (conv(256, 256, 3), (256, 14, 14)),
    "512 to 512, 3 x 3": (conv(512, 512, 3), (512, 7, 7)),
    "512 to 512, 3 x 3, stride 2": (conv(512, 512, 3, 2), (512, 14, 14)),
    "2,048 to 512, 1 x 1": (conv(2048, 512, 1), (2048, 7, 7)),
}


def seconds(work: Callable[[], Any]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def solving(op: Linear, affine: Affine, shape: tuple[int, ...]) -> float:
    """Seconds for all weights of the map."""
    target = Target(Graph((Node("map", op, (INPUT,)),)), {"map": affine}, input_shape=shape)
    layout = plan_layout(target, Request(tolerance=TOLERANCE), inputs=Inputs(shape, lower=(0.0,), upper=(1.0,)))
    gadget: Any = layout.gadgets["map"]
    weights = affine.weight.ravel()[:PROBLEMS]
    u, v = (uniform(Stream(0, name), (len(weights), gadget.candidates)).astype(np.float64) for name in "uv")
    values = np.abs(u) * v
    within(values[:100], weights[:100] / gadget.gain, tol=TOLERANCE / gadget.gain)  # compiled
    spent = seconds(lambda: within(values, weights / gadget.gain, tol=TOLERANCE / gadget.gain))
    return spent / len(weights) * affine.weight.size


def inputs(shape: tuple[int, ...]) -> Reach:
    """In [0, 1], off by 0.01."""
    one = np.ones((1,) * len(shape))
    size = math.sqrt(math.prod(shape))
    return Reach(0 * one, one, size, 0.01 * one, 0.01 * size, shape)


def truth(basis: Basis, coefficients: np.ndarray) -> float:
    """The norm; of a convolution a lower bound."""
    if coefficients.shape[2] == 1:
        return float(svds(coefficients[:, :, 0], k=1, return_singular_vectors=False)[0])
    assert isinstance(basis, Conv)
    rows, inp, _ = coefficients.shape
    k, s = basis.kernel[0], basis.stride[0]
    kernel = coefficients.reshape(rows, inp, k, k)
    largest = 0.0
    for i in range(POINTS):
        for j in range(POINTS // 2 + 1):
            parts: dict[tuple[int, int], np.ndarray] = {}
            for p in range(k):
                for q in range(k):
                    turn = np.exp(2j * np.pi * ((p // s) * i + (q // s) * j) / POINTS)
                    at = (p % s, q % s)  # the phases of a stride are inputs of their own
                    parts[at] = parts.get(at, 0) + turn * kernel[:, :, p, q]
            symbol = np.hstack(list(parts.values()))
            largest = max(largest, float(svds(symbol, k=1, return_singular_vectors=False, tol=1e-6)[0]))
    return largest


def measured(name: str) -> None:
    basis, shape = MAPS[name]
    rng = np.random.default_rng(0)
    op = Linear("map", basis, True)
    weight = rng.normal(size=op.coefficients) * math.sqrt(2 / (basis.inputs * basis.taps))
    bias = 0.1 * rng.normal(size=basis.outputs)
    affine = Affine(weight, bias)
    off = rng.uniform(-TOLERANCE, TOLERANCE, weight.shape)
    found = Realised(weight + off, None, bias + TOLERANCE, np.zeros(basis.inputs, np.bool_))
    errors: MapErrors = map_errors("map", op, affine, found)
    each = [
        seconds(lambda: errors.eta),
        seconds(lambda: errors.size),
        seconds(lambda: errors.norm(errors.eta)),
        seconds(lambda: (errors.sizes(TOLERANCE), through_linear(errors, inputs(shape), eta=errors.eta))),
        solving(op, affine, shape),
    ]
    eta, w, p, rest, solved = (1e6 * second / weight.size for second in each)
    ratios = errors.eta / truth(basis, off), errors.size / truth(basis, weight)
    columns = [f"{weight.size:,}", errors.norms, f"{solved:.2f}", f"{eta + w + p + rest:.2f}"]
    columns += [f"{second:.3f}" for second in (eta, w, p, rest)] + [f"{ratio:.7f}" for ratio in ratios]
    print(f"| {name} | {' | '.join(columns)} |", flush=True)


def looseness(name: str, kernel: np.ndarray) -> None:
    """Every rule, and cheaper bounds that lost to them, over the norm."""
    if kernel.ndim == 2:
        norm, gram = np.linalg.norm(kernel, 2), kernel @ kernel.T
        rules = {"spectral": spectral_norm_bound(kernel)}
        rules |= {f"blocks, {count}": spectral_norm_bound(kernel, blocks=count) for count in (2, 3, 4)}
        sizes = np.abs(kernel)
        rules["√(‖·‖₁ ‖·‖_∞)"] = math.sqrt(sizes.sum(axis=0).max() * sizes.sum(axis=1).max())
        rules |= {"‖·‖_F": np.linalg.norm(kernel), "‖AAᵀ‖_F^½": math.sqrt(np.linalg.norm(gram))}
        rules["‖AAᵀ‖_∞^½"] = math.sqrt(np.abs(gram).sum(axis=1).max())
    else:
        rows, inp, k, _ = kernel.shape
        norm = truth(conv(inp, rows, k), kernel.reshape(rows, inp, k * k))
        rules = {by: convolution_norm_bound(kernel[None], stride=(1, 1), dilation=(1, 1), by=by) for by in NORMS[:-1]}
    print(f"| {name} | " + ", ".join(f"{rule}: {bound / norm:.3f}" for rule, bound in rules.items()) + " |", flush=True)


def main() -> None:
    where = environment(1)
    print(f"commit {where.commit}, {where.cpu}, 1 thread, errors up to 2^-9, seed 0\n")
    print("| map | weights | rule | solving µs | certificate µs | η | ‖W‖ | ‖P‖ | rest | η / norm | ‖W‖ / norm |")
    print("| " + "--- | " * 11, flush=True)
    for name in MAPS:
        measured(name)
    print("\n| map | bound / norm |\n| --- | --- |")
    rng = np.random.default_rng(1)
    strong = 8 / np.arange(1, 21)
    for m, n in ((1000, 1000), (800, 3200)):
        noise = rng.normal(size=(m, n))
        low = (rng.normal(size=(m, 20)) * strong) @ rng.normal(size=(20, n)) / math.sqrt(min(m, n)) * 3
        looseness(f"{m} x {n}, random", noise)
        looseness(f"{m} x {n}, 20 directions and noise", low + noise)
    noise = rng.normal(size=(64, 64, 3, 3))
    left, right, smooth = rng.normal(size=(64, 20)) * strong, rng.normal(size=(20, 64)), rng.random((20, 3, 3))
    low = np.einsum("or,ri,rpq->oipq", left, right, smooth)
    looseness("64 to 64, 3 x 3, random", noise)
    looseness("64 to 64, 3 x 3, 20 directions and noise", low + noise)


if __name__ == "__main__":
    main()
