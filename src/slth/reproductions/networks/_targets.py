"""Targets of the reproductions on networks: trained MLPs, which parts share, and Gaussian ones of any shape."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from slth._locks import locked
from slth.graph import Affine, Target, chain
from slth.network import read_target
from slth.reproductions._reproduction import Means


def made_once(path: Path, make: Callable[[], object]) -> Path:
    """The file, which `make` writes unless it is there. Of parts that run side by side one does, the others wait."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with locked(path.with_suffix(".lock")):
        if not path.exists():
            make()
    return path


def trained_file(means: Means, data: str, *, hidden: Sequence[int], epochs: int, seed: int, bias: bool = False) -> Path:
    """A ReLU MLP trained as by Pensia et al. (2020): SGD 0.1, momentum 0.9, decay 5e-4, batch 64, cosine; made once."""
    from slth.api import train, use_threads

    shape = "-".join(map(str, hidden))
    path = means.shared / f"mlp-{data}-{shape}{'-bias' if bias else ''}-{epochs}-{seed}.safetensors"

    def make() -> None:
        use_threads(means.threads)
        train(data, out=path, hidden=hidden, bias=bias, epochs=epochs, seed=seed, data_dir=means.data_dir)

    return made_once(path, make)


def trained(means: Means, data: str, *, hidden: Sequence[int], epochs: int, seed: int, bias: bool = False) -> Target:
    """The same, as it is read from its file."""
    return read_target(trained_file(means, data, hidden=hidden, epochs=epochs, seed=seed, bias=bias))


def gaussian(widths: Sequence[int], seed: int) -> Target:
    """Weights N(0, 1 / inputs), no biases, ReLU between the layers."""
    rng = np.random.default_rng(seed)
    shapes = [(out, inp) for inp, out in pairwise(widths)]
    return chain([Affine(rng.normal(size=(*shape, 1)) / np.sqrt(shape[1]), None) for shape in shapes])
