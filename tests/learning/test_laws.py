"""Laws of random weights: the variances that they promise, as float32 scales of streams."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from slth import InputError
from slth.learning import EdgePopup, Policy, attach
from slth.learning.laws import LAWS, scale_of, stream_law
from slth.numerics import Stream, draw

FAN_IN, FAN_OUT, COUNT = 300, 100, 200_000


def values(law: str, **options: float) -> np.ndarray:
    drawn = draw(Stream(0, f"test/{law}"), stream_law(law), (COUNT,))
    return drawn * np.float32(scale_of(law, FAN_IN, FAN_OUT, **options))


@pytest.mark.parametrize("law", LAWS)
def test_every_law_has_mean_0_and_the_variance_of_its_name(law):
    """Band: 5 standard errors; the kurtosis of each law is at most 3, so that of the variance is at most √(2/N)."""
    variance = 2 / (FAN_IN + FAN_OUT) if law == "glorot_normal" else 2 / FAN_IN
    found = values(law).astype(np.float64)
    assert abs(found.mean()) < 5 * math.sqrt(variance / COUNT)
    assert abs((found**2).mean() / variance - 1) < 5 * math.sqrt(2 / COUNT)


def test_shapes_of_the_laws():
    sigma = np.float32(math.sqrt(2 / FAN_IN))
    assert set(np.abs(values("signed_constant"))) == {sigma}
    uniform = values("kaiming_uniform")
    assert np.abs(uniform).max() <= np.float32(math.sqrt(3) * math.sqrt(2 / FAN_IN))
    assert np.mean(uniform < 0) == pytest.approx(0.5, abs=5 / math.sqrt(4 * COUNT))
    normal = values("kaiming_normal") / sigma
    assert np.mean(np.abs(normal) < 1) == pytest.approx(math.erf(1 / math.sqrt(2)), abs=5 * 0.5 / math.sqrt(COUNT))


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("density", [1.0, 0.5, 0.3, 0.01])
def test_a_scale_is_a_float32_and_scaled_means_the_root_of_one_over_the_density(law, density):
    for fan_in, fan_out in ((1, 1), (3, 7), (25, 500), (4608, 512)):
        scale = scale_of(law, fan_in, fan_out, density=density)
        assert scale == float(np.float32(scale))
        assert scale == pytest.approx(scale_of(law, fan_in, fan_out) / math.sqrt(density), rel=2**-22)


def test_a_scaled_layer_keeps_the_variance_of_a_full_one():
    """E |masked w|² summed over a neuron's inputs is 2, whatever the density: what Kaiming's rule asks for."""
    for density in (1.0, 0.5, 0.1):
        model = nn.Sequential(nn.Linear(500, 200), nn.ReLU(), nn.Linear(200, 10))
        attach(model, EdgePopup(density), policy=Policy(scaled=True))
        with torch.no_grad():
            assert float(model[0].weight.square().sum(1).mean()) == pytest.approx(2, rel=1e-5)


def test_powers_of_two_are_exact():
    assert scale_of("signed_constant", 8, 3) == 0.5
    assert scale_of("glorot_normal", 4, 4) == 0.5


def test_an_unknown_law_is_refused_with_the_list():
    for wrong in (lambda: scale_of("gauss", 1, 1), lambda: stream_law("gauss")):
        with pytest.raises(InputError, match=r"signed_constant, glorot_normal; got 'gauss'"):
            wrong()


@pytest.mark.parametrize("gain", [0.0, -1.0, math.nan, math.inf])
def test_a_gain_multiplies_every_weight_and_must_be_positive(gain):
    assert scale_of("signed_constant", 8, 3, gain=4.0) == 2.0
    model = nn.Linear(8, 3)
    attach(model, EdgePopup(1.0), policy=Policy(gain=4.0))
    assert set(model.weight.detach().abs().flatten().tolist()) == {2.0}
    with pytest.raises(InputError, match="gain, a factor of all random weights, must be a positive number"):
        Policy(gain=gain)
