"""Search: find tickets by training masks, on any `nn.Module`. Needs PyTorch and Lightning Fabric (`slth[search]`).

Registry: `METHODS` maps a name to the class of its settings. A method is a file: reference, settings, what it adds.
"""

from slth._errors import InputError

try:
    import lightning_fabric as _lightning_fabric  # noqa: F401  # pyright: ignore[reportUnusedImport]
    import torch as _torch  # noqa: F401  # pyright: ignore[reportUnusedImport]
except ImportError as error:
    raise InputError(f"a search needs PyTorch and Lightning Fabric ({error}): pip install 'slth[search]'") from error

from slth.search.biprop import Biprop
from slth.search.edge_popup import EdgePopup
from slth.search.find import Found, Method, find
from slth.search.magnitude import Magnitude
from slth.search.masks import Frozen, Mask, Masks, attach
from slth.search.pgd import PerturbedEdgePopup
from slth.search.policy import Policy
from slth.search.presets import PRESETS, Preset, preset
from slth.search.supermask import Supermask
from slth.search.training import Stage, Training

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
