"""Published settings by name, with their source. `slth search --preset NAME`; single options override them.

Numbers that a paper leaves open are those of its released code, where that is known; see each entry's note.
"""

from dataclasses import dataclass, field
from typing import Any

from slth._arguments import one_of
from slth.learning.policy import Policy
from slth.learning.training import Training


@dataclass(frozen=True, slots=True)
class Preset:
    """A published experiment: what to train, how, and where that is written."""

    source: str
    data: str
    model: str
    method: str
    training: Training
    policy: Policy = field(default_factory=Policy)
    options: dict[str, Any] = field(default_factory=dict[str, Any])


_RAMANUJAN = "Ramanujan et al. (2020), settings of the released CIFAR-10 configurations"
_ZHOU = "Zhou et al. (2019), learned supermasks with dynamic weight rescaling and signed constants"
_KAIMING = Policy(law="kaiming_normal")
_WEAK = Policy(law="glorot_normal", biases="train", norms="train")

PRESETS: dict[str, Preset] = {  # published settings by method/data-architecture
    "edge-popup/mnist": Preset(
        "Ramanujan et al. (2020), minimal MNIST example (there a small convolutional network)",
        "mnist",
        "lenet_300_100",
        "edge-popup",
        Training(epochs=14.0, batch=64, lr=0.1, weight_decay=5e-4),
    ),
    **{
        f"edge-popup/cifar10-{model}": Preset(
            _RAMANUJAN, "cifar10", model, "edge-popup", Training(epochs=100.0, batch=128, lr=0.1, weight_decay=1e-4)
        )
        for model in ("conv_2", "conv_4", "conv_6")
    },
    "edge-popup/cifar10-resnet_18": Preset(
        _RAMANUJAN,
        "cifar10",
        "resnet_18",
        "edge-popup",
        Training(epochs=100.0, batch=256, lr=0.1, weight_decay=5e-4),
    ),
    "biprop/cifar10-conv_4": Preset(
        "Diffenderfer and Kailkhura (2021), 1/32",
        "cifar10",
        "conv_4",
        "biprop",
        Training(epochs=100.0, batch=128, lr=0.1, weight_decay=1e-4),
        _KAIMING,
    ),
    "biprop/cifar10-conv_4-1/1": Preset(
        "Diffenderfer and Kailkhura (2021), 1/1: binary activations, Adam",
        "cifar10",
        "conv_4",
        "biprop",
        Training(epochs=100.0, batch=128, optimizer="adam", lr=0.1, weight_decay=1e-4),
        _KAIMING,
        {"binary_activations": True},
    ),
    "supermask/mnist": Preset(
        _ZHOU,
        "mnist",
        "lenet_300_100",
        "supermask",
        Training(epochs=2000.0, batch=250, lr=100.0, weight_decay=0.0, schedule="constant"),
    ),
    "magnitude/mnist": Preset(
        "Frankle and Carbin (2019), LeNet-300-100: Adam 1.2e-3, batch 60, 20 % per round, output layer 10 %",
        "mnist",
        "lenet_300_100",
        "magnitude",
        Training(epochs=55.0, batch=60, optimizer="adam", lr=1.2e-3, weight_decay=0.0, schedule="constant"),
        _WEAK,
        {"density": 0.01, "rate": 0.2, "last_rate": 0.1},
    ),
    "magnitude/cifar10-resnet_20": Preset(
        "Frankle et al. (2020), defaults of the successor framework; rewinding to step 2000",
        "cifar10",
        "resnet_20",
        "magnitude",
        Training(epochs=160.0, lr=0.1, weight_decay=1e-4, schedule="multistep", milestones=(80.0, 120.0)),
        Policy(law="kaiming_normal", biases="train", norms="train"),
        {"density": 0.1, "rate": 0.2, "scope": "global", "rewind": 2000},
    ),
}


def preset(name: str) -> Preset:
    """The published settings of a name."""
    return PRESETS[one_of(name, PRESETS, "preset")]
