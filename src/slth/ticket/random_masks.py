"""Masks at random, of learned tickets: as many weights of the largest noise, which a stream of its own names."""

import numpy as np
from jaxtyping import Bool, Float32

from slth.numerics import Stream, uniform
from slth.ticket.tensors import RandomTensor


def control_noise(tensor: RandomTensor, seed: int) -> Float32[np.ndarray, "..."]:
    """U[−1, 1) from the stream PATH/control, of the tensor's shape."""
    return uniform(Stream(seed, f"{tensor.path}/control"), tensor.shape)


def largest(noise: Float32[np.ndarray, "..."], count: int) -> Bool[np.ndarray, "..."]:
    """Where the `count` largest |noise| stand; of equal ones the earlier.

    >>> largest(np.array([0.5, -0.75, 0.5], np.float32), 2)
    array([ True,  True, False])
    """
    size = np.abs(noise).reshape(-1)
    kept = np.zeros(size.size, np.bool_)
    if count:
        last = np.partition(size, size.size - count)[size.size - count]
        kept[size > last] = True
        kept[np.flatnonzero(size == last)[: count - int(kept.sum())]] = True
    return kept.reshape(noise.shape)
