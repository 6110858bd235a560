"""One door: whatever holds a trained network becomes a target."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from slth._errors import InputError
from slth.graph import Target
from slth.network.reading.checkpoints import arrays_of, state_in
from slth.network.reading.estimators import is_estimator, read_estimator
from slth.network.reading.files import read_tensors
from slth.network.reading.state_dicts import mlp_from_tensors
from slth.ticket import Inputs


def read_target(
    source: Any,
    *,
    input_shape: Sequence[int] | None = None,
    example: Any = None,
    order: Sequence[str] | None = None,
    activation: str | None = None,
    domain: Inputs | None = None,
) -> Target:
    """The target network behind a module, a file, a state dict or an estimator.

    A module is read as it computes in evaluation mode, whatever its code, and compared with itself on random inputs. A
    state dict says neither order nor activations: it is read as a plain MLP, and what was assumed is in `assumed`. Of a
    scikit-learn classifier the function before the last softmax or logistic is read.

    Args:
        source: an `nn.Module`; a path to `.safetensors`, `.pt`, `.pth`, `.bin`, `.ckpt` or `.npz`; a mapping of names
            to arrays or tensors; a fitted `MLPClassifier` or `MLPRegressor`; a `Target` is given back.
        input_shape: of one input of a module, without the batch, such as (3, 32, 32). Not needed if its first layer is
            a Linear.
        example: instead of it, a batch of inputs.
        order: the layers' names from input to output, for state dicts that do not tell.
        activation: between the layers of a state dict; None assumes ReLU and says so.
        domain: the inputs on which a module is compared with what was read; None: normal random numbers.

    Raises:
        InputError: one sentence on what was expected, what arrived, what to try.
    """
    if isinstance(source, Target):
        return source
    if isinstance(source, (str, Path)):
        return mlp_from_tensors(read_tensors(Path(source)), order=order, activation=activation)
    if isinstance(source, Mapping):
        return mlp_from_tensors(arrays_of(state_in(source)), order=order, activation=activation)
    torch = sys.modules.get("torch")  # who has a module has loaded it
    if torch is not None and isinstance(source, torch.nn.Module):
        if order is not None or activation is not None:
            raise InputError("order and activation are for state dicts; a module is read as it computes")
        from slth.network.reading.modules import read_module

        shape = None if input_shape is None else tuple(input_shape)
        return read_module(source, input_shape=shape, example=example, domain=domain)
    if is_estimator(source):
        return read_estimator(source)
    raise InputError(
        f"a target is an nn.Module, a path, a state dict or a fitted scikit-learn MLP; got {type(source).__name__}"
    )
