"""Small random ReLU networks for tests."""

import itertools

import numpy as np

from slth.certificate import Affine


def random_target(widths, *, bias=True, seed=0, scale=1.0):
    """Gaussian weights of standard deviation scale / sqrt(inputs)."""
    rng = np.random.default_rng(seed)
    return [
        Affine(
            (rng.normal(size=(out, inp, 1)) * scale / np.sqrt(inp)).astype(np.float32).astype(np.float64),
            rng.normal(size=out).astype(np.float32).astype(np.float64) if bias else None,
        )
        for inp, out in itertools.pairwise(widths)
    ]


def forward(target, x):
    """f(x) in float64, x (batch, inp)."""
    for i, layer in enumerate(target):
        x = (np.maximum(x, 0) if i else x) @ layer.weight[:, :, 0].T
        if layer.bias is not None:
            x = x + layer.bias
    return x


def forward_realised(parts, x):
    """The realised network in float64: P x⁺ + N x⁻ + b̂."""
    for i, part in enumerate(parts):
        x = np.maximum(x, 0) if i else x
        y = np.maximum(x, 0) @ part.positive[:, :, 0].T
        if part.negative is not None:
            y = y + np.maximum(-x, 0) @ part.negative[:, :, 0].T
        x = y if part.bias is None else y + part.bias
    return x
