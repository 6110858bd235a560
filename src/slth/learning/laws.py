"""Laws of random weights: what a tensor's stream is multiplied with.

| name | values | standard deviation |
| --- | --- | --- |
| `kaiming_normal` | N(0, 2 / fan_in) | √(2 / fan_in) |
| `kaiming_uniform` | U[−√3 σ, √3 σ) | the same σ |
| `signed_constant` | ±σ, a fair coin | the same σ |
| `glorot_normal` | N(0, 2 / (fan_in + fan_out)) | √(2 / (fan_in + fan_out)) |

He et al. (2015); the signed constant: Zhou et al. (2019), Ramanujan et al. (2020); Glorot and Bengio (2010).
"""

import math
from typing import Literal

import numpy as np

from slth._errors import InputError
from slth.numerics import Law

WeightLaw = Literal["kaiming_normal", "kaiming_uniform", "signed_constant", "glorot_normal"]
_STREAMS: dict[str, Law] = {
    "kaiming_normal": "normal",
    "kaiming_uniform": "uniform",
    "signed_constant": "sign",
    "glorot_normal": "normal",
}
LAWS = tuple(_STREAMS)


def stream_law(law: str) -> Law:
    """The law of the stream behind a law of weights."""
    if law not in _STREAMS:
        raise InputError(f"expected a law of weights, one of {', '.join(LAWS)}; got {law!r}")
    return _STREAMS[law]


def scale_of(law: str, fan_in: int, fan_out: int, *, density: float = 1.0, gain: float = 1.0) -> float:
    """What the stream's values are multiplied with, a float32; `density` below 1 enlarges it by √(1 / density).

    >>> scale_of("signed_constant", 8, 3)
    0.5
    """
    variance = 2 / (fan_in + fan_out) if law == "glorot_normal" else 2 / fan_in
    spread = math.sqrt(3) if stream_law(law) == "uniform" else 1.0
    return float(np.float32(gain * spread * math.sqrt(variance / density)))
