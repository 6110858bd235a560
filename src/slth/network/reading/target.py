"""One door: whatever holds a trained network becomes a target."""

import gc
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from slth._arguments import one_of, wholes
from slth._errors import InputError, UnfitInputs
from slth.graph import Shape, Target
from slth.network.reading.checkpoints import Held, arrays_of, held_of, state_in
from slth.network.reading.configurations import is_model_folder
from slth.network.reading.estimators import is_estimator, read_estimator
from slth.network.reading.files import import_torch, read_held, read_tensors
from slth.network.reading.state_dicts import mlp_from_tensors
from slth.network.reading.stated import stated_in
from slth.network.reading.words import shown
from slth.records import verbs
from slth.ticket import Inputs

_LARGE = 1 << 24  # weights of a network that is worth a third of a second to be rid of


def read_target(
    source: Any,
    *,
    input_shape: Sequence[int] | None = None,
    example: Any = None,
    order: Sequence[str] | None = None,
    activation: str | None = None,
    from_node: str | None = None,
    to_node: str | None = None,
    domain: Inputs | None = None,
    exact: bool = False,
    held: Mapping[str, Held] | None = None,
    embeddings: str = "carried",
) -> Target:
    """The target network behind a module, a file, a state dict or an estimator.

    A module is read as it computes in evaluation mode, whatever its code, and compared with itself on random inputs. A
    state dict says neither order nor activations: it is read as a plain MLP, and what was assumed is in `assumed`. Of a
    scikit-learn classifier the function before the last softmax or logistic is read.

    Args:
        source: an `nn.Module`; a path to `.onnx`, or an `onnx.ModelProto`; a path to `.safetensors`, `.pt`, `.pth`,
            `.bin`, `.ckpt` or `.npz`; a mapping of names to arrays or tensors; a fitted `MLPClassifier` or
            `MLPRegressor`; a `Target` is given back.
        input_shape: of one input of a module, without the batch, such as (3, 32, 32). Not needed if its first layer is
            a Linear.
        example: instead of it, a batch of inputs, or one; whole numbers are tokens.
        order: the layers' names from input to output, for state dicts that do not tell.
        activation: between the layers of a state dict; None assumes ReLU and says so.
        from_node, to_node: of an ONNX graph, the node or value to begin or to end at.
        domain: the inputs on which a module is compared with what was read; None: normal random numbers.
        exact: for an exact ticket: normalisations stay, and `tensors` says which tensor of the target is what.
        embeddings: "carried", or "ticketed": tables of tokens that no head shares become maps over one-hot vectors.
        held: then, the file that was loaded into a module, see `read_held`: its number formats are the target's.

    Raises:
        InputError: one sentence on what was expected, what arrived, what to try.
    """
    one_of(embeddings, verbs.EMBEDDINGS, "embeddings")
    if isinstance(source, Target):
        if exact and not source.tensors:
            raise InputError("this target was read with its normalisations folded; read it with exact=True")
        return source
    shape = None if input_shape is None else wholes("input_shape", input_shape, example="(3, 32, 32)")
    if is_onnx(source):
        if order is not None or activation is not None:
            raise InputError("order and activation are for state dicts; an ONNX graph says both")
        from slth.network.reading.onnx import read_onnx

        import_torch("reading an ONNX file")
        shape = np.shape(example)[1:] if shape is None and example is not None else shape
        return read_onnx(source, input_shape=shape, from_node=from_node, to_node=to_node, domain=domain, exact=exact)
    if from_node is not None or to_node is not None:
        raise InputError(
            "--from and --to cut an ONNX graph; of a module pass the part that is wanted, of a state dict its layers"
        )
    loaded = is_model_folder(source)
    if loaded:
        import_torch("reading a model folder")
        from slth.network.reading.folders import load_folder, shape_of_config

        path, source = Path(source), load_folder(Path(source))
        held = _held_of(path, source) if exact else None
        shape = shape_of_config(source) if shape is None and example is None else shape
    if isinstance(source, (str, Path)):
        return _fitting(_from_file(Path(source), order, activation, exact=exact), shape, example)
    if isinstance(source, Mapping):
        state = state_in(source)
        own = {name: held_of(name, tensor) for name, tensor in state.items()} if exact else None
        target = mlp_from_tensors(arrays_of(state), order=order, activation=activation, held=own)
        return _fitting(target, shape, example)
    torch = sys.modules.get("torch")  # who has a module has loaded it
    if torch is not None and isinstance(source, torch.nn.Module):
        if order is not None or activation is not None:
            raise InputError("order and activation are for state dicts; a module is read as it computes")
        from slth.network.reading.modules import read_module

        target = read_module(
            source,
            input_shape=shape,
            example=example,
            domain=domain,
            exact=exact,
            held=held,
            ticketed=embeddings == "ticketed",
        )
        if loaded and target.graph.weights > _LARGE:
            del source  # what `torch.export` made refers to itself and to the model, which would stay for a while
            gc.collect()
        return target
    if is_estimator(source):
        if exact:
            raise InputError("a scikit-learn network is float64, and no exact ticket has that format; give a tolerance")
        return _fitting(read_estimator(source), shape, example)
    raise InputError(
        f"a target is an nn.Module, a path, a state dict or a fitted scikit-learn MLP; got {type(source).__name__}"
    )


def _from_file(path: Path, order: Sequence[str] | None, activation: str | None, *, exact: bool) -> Target:
    """A plain MLP from its tensors; what the file says of it, as those that `slth` writes do, need not be assumed."""
    held = read_held(path) if exact else None
    tensors = read_tensors(path) if held is None else {name: own.array for name, own in held.items()}
    said = stated_in(path)
    if said is None or said.kind == "unknown":
        return mlp_from_tensors(tensors, order=order, activation=activation, held=held)
    if said.kind == "graph" and order is None and activation is None:
        raise InputError(
            f"{shown(path)} holds the tensors of a network that is no plain MLP, as it says itself; pass the module, "
            "or --model net.py:function with this file"
        )
    return mlp_from_tensors(
        tensors,
        order=order or said.order or None,
        activation=activation or said.activation,
        plain=said.kind == "mlp",
        held=held,
    )


def _held_of(path: Path, model: Any) -> dict[str, Held] | None:
    """The formats of a folder's tensors, where they have the names of its model."""
    held, known = read_held(path), model.state_dict()
    return {name: own for name, own in held.items() if name in known and tuple(own.array.shape) == known[name].shape}


def read_state(source: str | Path | Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The tensors of a state dict, from a file or in memory."""
    return read_tensors(Path(source)) if isinstance(source, str | Path) else arrays_of(state_in(source))


def is_onnx(source: Any) -> bool:
    """A path to an ONNX file, or a model that is loaded."""
    if isinstance(source, (str, Path)):
        return Path(source).suffix.lower() == ".onnx"
    return type(source).__name__ == "ModelProto"


def _fitting(target: Target, input_shape: Shape | None, example: Any) -> Target:
    """A dense network, whose inputs have as many numbers as it takes."""
    given = {"input_shape": input_shape, "the example": None if example is None else np.shape(example)[1:]}
    for name, shape in given.items():
        if shape is not None and math.prod(shape) != math.prod(target.input_shape):
            takes = f"the first layer takes {target.input_shape[0]} numbers"
            raise UnfitInputs(f"{name} says {tuple(shape)}, but {takes}", reason=f"its {takes[4:]}")
    return target
