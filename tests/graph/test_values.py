"""Coefficients of large maps are kept in float32 where that loses nothing, and nobody can tell."""

import numpy as np
import pytest
import torch
from torch import nn

import slth
from slth.graph import Affine, values
from slth.ticket import encode


def _kept(affine: Affine) -> np.dtype[np.generic]:
    return affine._kept.dtype  # pyright: ignore[reportPrivateUsage]


def test_many_coefficients_are_kept_in_float32_only_if_every_bit_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(values, "_MANY", 4)
    narrow = np.array([-0.0, 0.1, -3e-40, 1.5]).astype(np.float32).astype(np.float64).reshape(2, 2, 1)
    for weight, kept in ((narrow, np.float32), (narrow + 2.0**-40, np.float64), (narrow * 1e200, np.float64)):
        affine = Affine(weight, None)
        assert _kept(affine) == kept
        assert affine.weight.dtype == np.float64
        assert affine.weight.tobytes() == weight.tobytes()
        assert affine.shape == weight.shape
    assert _kept(Affine(narrow[:1], None)) == np.float64  # few


@pytest.mark.parametrize("options", [{"relative_tolerance": 0.01}, {"exact": True}, {"tolerance": 1e-8}])
def test_a_ticket_has_the_same_bytes_however_its_target_is_kept(
    options: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 3))
    given = {"input_shape": (5,), "input_range": (0, 1), "candidates": 6, **options}  # so few that some miss
    wide = slth.construct(net, **given)
    monkeypatch.setattr(values, "_MANY", 1)
    assert encode(slth.construct(net, **given)) == encode(wide)
    assert slth.verify(wide, target=net).holds
