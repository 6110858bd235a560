"""Mask criteria: from initial and final weights to scores; the largest are kept (Zhou et al., 2019).

Legend: i initial, f final weights; a positive factor a scales |f| to the mean of |i| where the two are compared.
"""

from collections.abc import Callable

import torch
from torch import Tensor

Criterion = Callable[[Tensor, Tensor], Tensor]  # (initial, final) -> scores


def _matched(i: Tensor, f: Tensor) -> Tensor:
    return f.abs() * (i.abs().mean() / f.abs().mean().clamp(min=1e-30))


_BASE: dict[str, Criterion] = {
    "large_final": lambda i, f: f.abs(),
    "small_final": lambda i, f: -f.abs(),
    "large_init": lambda i, f: i.abs(),
    "small_init": lambda i, f: -i.abs(),
    "large_init_large_final": lambda i, f: torch.minimum(_matched(i, f), i.abs()),
    "small_init_small_final": lambda i, f: -torch.maximum(_matched(i, f), i.abs()),
    "magnitude_increase": lambda i, f: f.abs() - i.abs(),
    "movement": lambda i, f: (f - i).abs(),
}


def _same(base: Criterion, wanted: bool) -> Criterion:
    def scores(i: Tensor, f: Tensor) -> Tensor:
        values = base(i, f)
        return torch.where((i * f > 0) == wanted, values, values.min() - 1)

    return scores


CRITERIA: dict[str, Criterion] = {
    **_BASE,
    **{f"{name}_same_sign": _same(base, True) for name, base in _BASE.items()},
    **{f"{name}_diff_sign": _same(base, False) for name, base in _BASE.items()},
}
"""Every criterion by name; "random" is not one of them: it looks at nothing, see `Magnitude`."""
