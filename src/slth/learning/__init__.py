"""Search: find tickets by training masks, on any `nn.Module`. Needs PyTorch and Lightning Fabric (`slth[search]`).

Registry: `METHODS` maps a name to the class of its settings; see `slth.learning.methods`.
"""

from slth._errors import InputError
from slth._extras import install

try:
    import lightning_fabric as _lightning_fabric  # noqa: F401  # pyright: ignore[reportUnusedImport]
    import torch as _torch  # noqa: F401  # pyright: ignore[reportUnusedImport]
except ImportError as error:
    raise InputError(f"a search needs PyTorch and Lightning Fabric ({error}): {install('search')}") from error

from slth.learning.ask import method_of, search
from slth.learning.attach import attach
from slth.learning.devices import first_process
from slth.learning.find import SearchResult, find
from slth.learning.gradients import Loss
from slth.learning.masked_parameter import Mask, MaskedParameter
from slth.learning.masks import Masks
from slth.learning.method import Method
from slth.learning.methods import METHODS, Biprop, EdgePopup, Magnitude, PerturbedEdgePopup, Supermask
from slth.learning.policy import Policy
from slth.learning.presets import PRESETS, Preset, preset
from slth.learning.run_files import RunFiles
from slth.learning.training import Stage, Training

__all__ = [
    "METHODS",
    "PRESETS",
    "Biprop",
    "EdgePopup",
    "Loss",
    "Magnitude",
    "Mask",
    "MaskedParameter",
    "Masks",
    "Method",
    "PerturbedEdgePopup",
    "Policy",
    "Preset",
    "RunFiles",
    "SearchResult",
    "Stage",
    "Supermask",
    "Training",
    "attach",
    "find",
    "first_process",
    "method_of",
    "preset",
    "search",
]
