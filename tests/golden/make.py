"""Write the golden ticket. Run once for each format version, never again: `python tests/golden/make.py`."""

from pathlib import Path

import numpy as np

from slth.certificate import Affine
from slth.construction import Plan, construct
from slth.numerics import Stream, uniform
from slth.ticket import Domain


def golden_target():
    """A 3-4-2 network whose weights are random numbers that the file format itself pins."""

    def values(name, *shape):
        return uniform(Stream(2026, name), shape).astype(np.float64)

    return [
        Affine(values("golden/0.weight", 4, 3, 1), values("golden/0.bias", 4)),
        Affine(values("golden/2.weight", 2, 4, 1), values("golden/2.bias", 2)),
    ]


if __name__ == "__main__":
    domain = Domain((-1.0, 0.0, -0.5), (1.0, 2.0, 0.5), (0.5, 0.25))
    construct(golden_target(), Plan(tolerance=0.01, candidates=20, seed=7), domain=domain).save(
        Path(__file__).parent / "v1.slth"
    )
