"""Write the golden tickets that are missing: `python tests/golden/make.py`. One that exists is never written again."""

from pathlib import Path

import numpy as np

from slth.construction import Request, construct
from slth.graph import Affine, chain
from slth.numerics import Stream, uniform
from slth.ticket import Builtin, Inputs, Provenance, RandomTensor, learned_ticket, save


def golden_target():
    """A 3-4-2 network whose weights are random numbers that the file format itself pins."""

    def values(name, *shape):
        return uniform(Stream(2026, name), shape).astype(np.float64)

    return chain(
        [
            Affine(values("golden/0.weight", 4, 3, 1), values("golden/0.bias", 4)),
            Affine(values("golden/2.weight", 2, 4, 1), values("golden/2.bias", 2)),
        ]
    )


def sparse_target():
    """A 6-8-2 network whose first layer is mostly zeros and has no bias."""
    first = uniform(Stream(2027, "golden/0.weight"), (8, 6, 1)).astype(np.float64)
    first[np.abs(first) < 0.8] = 0.0
    last = uniform(Stream(2027, "golden/2.weight"), (2, 8, 1)).astype(np.float64)
    return chain([Affine(first, None), Affine(last, uniform(Stream(2027, "golden/2.bias"), (2,)).astype(np.float64))])


def golden():
    """v1: plain masks, biases, an input range, given candidates, no misses."""
    inputs = Inputs((3,), (0.5,), (0.25,), (-1.0, 0.0, -0.5), (1.0, 2.0, 0.5))
    return construct(golden_target(), Request(tolerance=0.01, candidates=20, seed=7), inputs=inputs)


def sparse():
    """v1-sparse: a coded mask, a layer without bias, a long seed, no input range, planned candidates, a miss."""
    plan = Request(tolerance=0.01, failure_probability=0.9, seed=10**30 + 2)
    return construct(sparse_target(), plan, inputs=Inputs((6,)))


def learned():
    """v1-learned: a coded and a plain mask, signs with a gain, moves, a redraw, biases, a network by name."""
    tensors = (
        RandomTensor("1.weight", (3, 50), "normal", 0.25, 4, binary=True, gain=0.375),
        RandomTensor("3.weight", (2, 3), "uniform", 0.5, 3, moved=True, stream="3.weight@1"),
    )
    kept = {tensor.path: np.zeros(tensor.shape, np.bool_) for tensor in tensors}
    kept["1.weight"].reshape(-1)[[0, 7, 81, 149]] = True
    kept["3.weight"].reshape(-1)[[1, 2, 5]] = True
    return learned_ticket(
        seed=2028,
        network=Builtin("mlp", {"inputs": [50], "classes": 2, "hidden": [3]}),
        inputs=Inputs((50,), (0.0,), (1.0,)),
        tensors=tensors,
        kept=kept,
        moves={"3.weight": np.array([0.125, -0.0625, 0.0], np.float32)},
        move_bound=0.125,
        carried={"1.bias": np.array([0.5, -1.0, 2.0**-20], np.float32), "3.bias": np.array([0.0, 0.1], np.float32)},
        provenance=Provenance("0.2", "by hand", {"density": 0.5, "skip": []}),
    )


if __name__ == "__main__":
    for name, ticket in (("v1.slth", golden), ("v1-sparse.slth", sparse), ("v1-learned.slth", learned)):
        path = Path(__file__).parent / name
        if not path.exists():
            save(ticket(), path)
