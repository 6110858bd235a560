"""Small random ReLU networks for tests, and what they compute, written as one would write it."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from slth.certificate import Certificate, computed
from slth.graph import Affine, Box, Realised, Target, chain, chain_of
from slth.ticket import Inputs, Ticket


@dataclass(frozen=True)
class Pair:
    """A target, what was realised of it, and the inputs that are spoken of."""

    target: Target
    realised: Mapping[str, Realised]
    box: Box | None

    @classmethod
    def of(cls, layers: Sequence[Affine], parts: Sequence[Realised], box: Box | None = None) -> "Pair":
        """Of a chain, layer by layer."""
        target = chain(layers)
        return cls(target, dict(zip(target.graph.maps, parts, strict=True)), box)

    @property
    def layers(self) -> list[tuple[Affine, Realised]]:
        """Of a chain, layer by layer."""
        return list(zip(self.target.coefficients.values(), self.realised.values(), strict=True))

    @property
    def bounds(self) -> Certificate:
        """As computed, before they are rounded up."""
        return computed(self.target, self.realised.__getitem__, tolerances=every_map(self.target), box=self.box)


def random_target(widths, *, bias=True, seed=0, scale=1.0) -> Target:
    """Gaussian weights of standard deviation scale / sqrt(inputs)."""
    rng = np.random.default_rng(seed)
    return chain(
        [
            Affine(
                (rng.normal(size=(out, inp, 1)) * scale / np.sqrt(inp)).astype(np.float32).astype(np.float64),
                rng.normal(size=out).astype(np.float32).astype(np.float64) if bias else None,
            )
            for inp, out in itertools.pairwise(widths)
        ]
    )


def widths_of(target: Target) -> tuple[int, ...]:
    """(inputs, hidden, ..., outputs) of a chain."""
    chained = chain_of(target.graph)
    assert chained is not None
    return tuple(chained[0])


def every_map(target, value=0.0):
    """The same number for each map."""
    return dict.fromkeys(target.graph.maps, value)


def inputs_of(target: Target, lower=None, upper=None) -> Inputs:
    """The inputs of a chain, all of them or each in a range."""
    first, *_ = target.graph.maps.values()
    ends = [end if end is None or isinstance(end, tuple) else (float(end),) for end in (lower, upper)]
    return Inputs((first.basis.inputs,), None, None, *ends)


def realised_maps(ticket: Ticket) -> dict[str, Realised]:
    """What every map of a ticket realises."""
    return {path: ticket.realised(path) for path in ticket.maps}


def forward(target, x):
    """f(x) of a chain in float64, x (batch, inp)."""
    for i, layer in enumerate(target.coefficients.values()):
        x = (np.maximum(x, 0) if i else x) @ layer.weight[:, :, 0].T
        if layer.bias is not None:
            x = x + layer.bias
    return x


def forward_realised(parts, x):
    """The realised network in float64: P x⁺ + N x⁻ + b̂."""
    for i, part in enumerate(parts.values()):
        x = np.maximum(x, 0) if i else x
        y = (x if part.linear else np.maximum(x, 0)) @ part.positive[:, :, 0].T
        if part.negative is not None:
            y = y + np.maximum(-x, 0) @ part.negative[:, :, 0].T
        x = y if part.bias is None else y + part.bias
    return x
