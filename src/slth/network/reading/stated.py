"""What a file that slth writes says of its network, so that none of it has to be assumed when it is read again.

It holds this JSON in its metadata: a state dict of safetensors under `slth.network`, an ONNX file, whose graph says
order and activations, under `slth.takes`.

    {"kind":"mlp","order":["0","2"],"activation":"relu","inputs":{"shape":[64],"mean":[0.5],"std":[0.25]}}

`kind` is `mlp`; `graph`, of any other network, whose tensors alone tell it not; or `unknown`. `inputs` is null where
nothing is known of them, mean and std where nothing is normalised; `tokens` is there where they are tokens: how many.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slth._errors import InputError
from slth.network.reading.state_dicts import ACTIVATIONS
from slth.network.reading.words import shown
from slth.ticket import Inputs

KEY, TAKES = "slth.network", "slth.takes"
_MOST = 1 << 20  # characters


@dataclass(frozen=True, slots=True)
class Stated:
    """Order and activation of a plain MLP; what it takes."""

    kind: str  # mlp, graph or unknown
    order: tuple[str, ...] = ()
    activation: str | None = None
    inputs: Inputs | None = None  # shape, mean and std; no range

    @property
    def text(self) -> str:
        """The JSON."""
        members = {"kind": self.kind, "order": self.order, "activation": self.activation}
        return json.dumps({**members, "inputs": _inputs_data(self.inputs)}, sort_keys=True, separators=(",", ":"))


def stated_in(path: Path) -> Stated | None:
    """What a file says; None if it says nothing, or is of another kind.

    Raises:
        InputError: it says something that slth does not write.
    """
    text = _onnx_text(path) if path.suffix == ".onnx" else _safetensors_text(path)
    if text is None:
        return None
    try:
        return _read(json.loads(text[:_MOST]))
    except (ValueError, TypeError, KeyError, RecursionError, InputError) as error:
        raise InputError(
            f"{shown(path)} says in its metadata under {KEY} what slth did not write; give its tensors in a file "
            "without that"
        ) from error


def _read(data: Any) -> Stated:
    kind, order, activation, inputs = (data[key] for key in ("kind", "order", "activation", "inputs"))
    if kind not in ("mlp", "graph", "unknown") or (kind == "mlp" and activation not in ACTIVATIONS):
        raise ValueError(kind)
    if not isinstance(order, list) or not all(isinstance(name, str) for name in order):
        raise ValueError(order)
    if inputs is not None:
        mean, std = (_numbers(inputs[key]) for key in ("mean", "std"))
        tokens = int(inputs["tokens"]) if "tokens" in inputs else None
        inputs = Inputs(tuple(int(size) for size in inputs["shape"]), mean, std, tokens=tokens)
    return Stated(kind, tuple(order), activation, inputs)


def _numbers(values: Sequence[float] | None) -> tuple[float, ...] | None:
    return None if values is None else tuple(float(value) for value in values)


def _inputs_data(inputs: Inputs | None) -> dict[str, Any] | None:
    if inputs is None:
        return None
    tokens = {} if inputs.tokens is None else {"tokens": inputs.tokens}
    return {"shape": inputs.shape, "mean": inputs.mean, "std": inputs.std, **tokens}


def _safetensors_text(path: Path) -> str | None:
    from safetensors import SafetensorError, safe_open

    if path.suffix != ".safetensors":
        return None
    try:
        with safe_open(path, "np") as file:
            return (file.metadata() or {}).get(KEY)
    except (SafetensorError, OSError):
        return None  # whoever reads its tensors says why


def _onnx_text(path: Path) -> str | None:
    try:
        import onnx

        model = onnx.load(str(path), load_external_data=False)
    except Exception:  # a missing extra, no such file, a broken one: whoever reads the graph says which
        return None
    return next((entry.value for entry in model.metadata_props if entry.key == TAKES), None)
