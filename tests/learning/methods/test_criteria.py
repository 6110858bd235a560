"""The criteria of Zhou et al. (2019) are their formulas."""

from collections.abc import Callable

import pytest
import torch

from slth.learning.methods.criteria import CRITERIA

DIRECT: dict[str, Callable[[float, float, float], float]] = {
    "large_final": lambda i, f, a: abs(f),
    "small_final": lambda i, f, a: -abs(f),
    "large_init": lambda i, f, a: abs(i),
    "small_init": lambda i, f, a: -abs(i),
    "large_init_large_final": lambda i, f, a: min(a * abs(f), abs(i)),
    "small_init_small_final": lambda i, f, a: -max(a * abs(f), abs(i)),
    "magnitude_increase": lambda i, f, a: abs(f) - abs(i),
    "movement": lambda i, f, a: abs(f - i),
}


@pytest.mark.parametrize("name", DIRECT)
def test_criteria_are_their_formulas(name):
    generator = torch.Generator().manual_seed(4)
    i, f = (torch.randn(200, generator=generator) for _ in range(2))
    a = float(i.double().abs().mean() / f.double().abs().mean())
    wanted = torch.tensor([DIRECT[name](x, y, a) for x, y in zip(i.tolist(), f.tolist(), strict=True)])
    assert torch.allclose(CRITERIA[name](i, f), wanted, rtol=1e-5)
    for suffix, same in (("same_sign", True), ("diff_sign", False)):
        scores, right = CRITERIA[f"{name}_{suffix}"](i, f), (i * f > 0) == same
        assert torch.allclose(scores[right], wanted[right], rtol=1e-5)
        assert float(scores[~right].max()) < float(scores[right].min())
    assert len(CRITERIA) == 3 * len(DIRECT)
