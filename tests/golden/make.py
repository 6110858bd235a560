"""Write the golden tickets that are missing: `python tests/golden/make.py`. One that exists is never written again."""

from pathlib import Path

import numpy as np

from slth.certificate import Affine
from slth.construction import Plan, construct
from slth.numerics import Stream, uniform
from slth.ticket import Domain, InputSpec, LearnedProvenance, MaskedTensor, NetworkSpec, learned_ticket


def golden_target():
    """A 3-4-2 network whose weights are random numbers that the file format itself pins."""

    def values(name, *shape):
        return uniform(Stream(2026, name), shape).astype(np.float64)

    return [
        Affine(values("golden/0.weight", 4, 3, 1), values("golden/0.bias", 4)),
        Affine(values("golden/2.weight", 2, 4, 1), values("golden/2.bias", 2)),
    ]


def sparse_target():
    """A 6-8-2 network whose first layer is mostly zeros and has no bias."""
    first = uniform(Stream(2027, "golden/0.weight"), (8, 6, 1)).astype(np.float64)
    first[np.abs(first) < 0.8] = 0.0
    last = uniform(Stream(2027, "golden/2.weight"), (2, 8, 1)).astype(np.float64)
    return [Affine(first, None), Affine(last, uniform(Stream(2027, "golden/2.bias"), (2,)).astype(np.float64))]


def golden():
    """v1: plain masks, biases, an input range, given candidates, no misses."""
    domain = Domain((-1.0, 0.0, -0.5), (1.0, 2.0, 0.5), (0.5, 0.25))
    return construct(golden_target(), Plan(tolerance=0.01, candidates=20, seed=7), domain=domain)


def sparse():
    """v1-sparse: a coded mask, a layer without bias, a long seed, no input range, planned candidates, a miss."""
    return construct(sparse_target(), Plan(tolerance=0.01, failure_probability=0.9, seed=10**30 + 2), domain=Domain())


def learned():
    """v1-learned: a coded and a plain mask, signs with a gain, moves, a redraw, biases, a network by name."""
    tensors = (
        MaskedTensor("1.weight", (3, 50), "normal", 0.25, 4, binary=True, gain=0.375),
        MaskedTensor("3.weight", (2, 3), "uniform", 0.5, 3, moved=True, stream="3.weight@1"),
    )
    kept = [np.zeros(tensor.shape, np.bool_) for tensor in tensors]
    kept[0].reshape(-1)[[0, 7, 81, 149]] = True
    kept[1].reshape(-1)[[1, 2, 5]] = True
    return learned_ticket(
        seed=2028,
        network=NetworkSpec("builtin", "mlp", {"inputs": [50], "classes": 2, "hidden": [3]}),
        inputs=InputSpec((50,), (0.0,), (1.0,)),
        tensors=tensors,
        kept=kept,
        moves=(None, np.array([0.125, -0.0625, 0.0], np.float32)),
        epsilon=0.125,
        carried={"1.bias": np.array([0.5, -1.0, 2.0**-20], np.float32), "3.bias": np.array([0.0, 0.1], np.float32)},
        provenance=LearnedProvenance("0.2", "by hand", {"density": 0.5, "skip": []}, None),
    )


if __name__ == "__main__":
    for name, ticket in (("v1.slth", golden), ("v1-sparse.slth", sparse), ("v1-learned.slth", learned)):
        path = Path(__file__).parent / name
        if not path.exists():
            ticket().save(path)
