"""Search: find tickets by training masks, on any `nn.Module`. Needs PyTorch and Lightning Fabric (`slth[search]`).

Registry: `METHODS` maps a name to the class of its settings. A method is a file: reference, settings, what it adds.
"""

from slth._errors import InputError

try:
    import lightning_fabric as _lightning_fabric  # noqa: F401  # pyright: ignore[reportUnusedImport]
    import torch as _torch  # noqa: F401  # pyright: ignore[reportUnusedImport]
except ImportError as error:
    raise InputError(f"a search needs PyTorch and Lightning Fabric ({error}): pip install 'slth[search]'") from error

from slth.learning.biprop import Biprop
from slth.learning.edge_popup import EdgePopup
from slth.learning.find import Found, Method, find
from slth.learning.magnitude import Magnitude
from slth.learning.masks import Frozen, Mask, Masks, attach
from slth.learning.pgd import PerturbedEdgePopup
from slth.learning.policy import Policy
from slth.learning.presets import PRESETS, Preset, preset
from slth.learning.supermask import Supermask
from slth.learning.training import Stage, Training

METHODS: dict[str, type] = {
    "edge-popup": EdgePopup,
    "biprop": Biprop,
    "supermask": Supermask,
    "magnitude": Magnitude,
    "perturbed-edge-popup": PerturbedEdgePopup,
}

__all__ = [
    "METHODS",
    "PRESETS",
    "Biprop",
    "EdgePopup",
    "Found",
    "Frozen",
    "Magnitude",
    "Mask",
    "Masks",
    "Method",
    "PerturbedEdgePopup",
    "Policy",
    "Preset",
    "Stage",
    "Supermask",
    "Training",
    "attach",
    "find",
    "preset",
]
