"""Targets held against each other, and against the modules that they are read from."""

import numpy as np

from slth.graph import Affine


def numbers(module):
    """Weight and bias of a Linear as the chain holds them."""
    bias = None if module.bias is None else module.bias.detach().double().numpy()
    return Affine(module.weight.detach().double().numpy()[:, :, None], bias)


def differences(first, second):
    """What two targets do not have in common: graph, names, sentences, numbers bit for bit."""
    found = [what for what in ("graph", "names", "assumed", "folded") if getattr(first, what) != getattr(second, what)]
    if list(first.coefficients) != list(second.coefficients):
        return [*found, "maps"]
    for path, a in first.coefficients.items():
        b = second.coefficients[path]
        biases = [[] if part.bias is None else part.bias.tolist() for part in (a, b)]
        if not np.array_equal(a.weight, b.weight) or biases[0] != biases[1]:
            found.append(path)
    return found
