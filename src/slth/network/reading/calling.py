"""Calling a module with one input: what it is given beside that, which of its outputs is meant, what it cannot take."""

import inspect
from typing import Any

from torch import Tensor, nn

from slth._errors import InputError, UnfitInputs
from slth.network.reading.examples import to_give
from slth.network.reading.quiet import quiet
from slth.network.reading.words import first_line, listed, shown

OFF = "use_cache"  # an argument of models that keep what they computed; each input is computed by itself
OUTPUTS = ("logits", "last_hidden_state")  # of a model that names what it gives, the first of these
EMBEDDINGS = (nn.Embedding, nn.EmbeddingBag)


def check_forward(model: nn.Module) -> None:
    """One argument and nothing else is needed.

    Raises:
        InputError: naming the arguments.
    """
    try:
        parameters = list(inspect.signature(model.forward).parameters.values())
    except (TypeError, ValueError):
        return
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    needed = [p.name for p in parameters if p.default is p.empty and p.kind in kinds]
    needed += [p.name for p in parameters if p.default is p.empty and p.kind is inspect.Parameter.KEYWORD_ONLY]
    if len(needed) > 1:
        raise InputError(
            f"the model takes {len(needed)} inputs ({', '.join(needed)}); a network of one input tensor is read: wrap "
            "it in a module that fixes the others"
        )


def run(model: nn.Module, x: Tensor) -> Tensor:
    """The one tensor that the model gives for a batch, see `output_of`.

    Raises:
        InputError: it cannot run on such inputs, or gives something else.
    """
    return _output_in(_given_for(model, x))


def said_of_output(model: nn.Module, x: Tensor) -> list[str]:
    """What taking one output of several takes for granted; nothing of a model that gives one.

    Raises:
        InputError: as `run`.
    """
    found = _given_for(model, x)
    _output_in(found)
    path, count = output_of(found), len(_leaves(found))
    if not path or count < 2:
        return []
    return [f"of the model's {count} outputs {'the first' if path[0] == 0 else shown(path[0])} is meant"]


def _given_for(model: nn.Module, x: Tensor) -> Any:
    try:
        with quiet():
            return model(x.clone(), **switched_off(model))
    except Exception as error:  # whatever the user's own code raises
        raise _cannot_run(error, model, x) from error


def _output_in(found: Any) -> Tensor:
    path = output_of(found)
    for key in path or ():
        found = found[key]
    leaves = _leaves(found)
    if path is None or len(leaves) != 1:
        raise InputError(several(len(leaves)))
    (y,) = leaves
    if not isinstance(y, Tensor) or not y.is_floating_point():
        kind = y.dtype if isinstance(y, Tensor) else type(y).__name__
        raise InputError(f"the model's output is {shown(kind)}; expected a tensor of real numbers")
    return y


def _cannot_run(error: Exception, model: nn.Module, x: Tensor) -> UnfitInputs:
    """What is wrong with the inputs, and what to give."""
    shape, reason = tuple(x.shape[1:]), first_line(error)
    tokens = not x.is_floating_point()
    most = getattr(getattr(model, "config", None), "max_position_embeddings", None)
    if isinstance(most, int) and tokens and shape and shape[-1] > most:
        return UnfitInputs(
            f"the model has {most} positions, and the example has {shape[-1]}; give a shorter one",
            reason=f"it has {most} positions",
        )
    if isinstance(error, IndexError) and tokens:
        tables = [
            f"{shown(path)} of {part.num_embeddings:,} rows"
            for path, part in model.named_modules()
            if isinstance(part, nn.Embedding)
        ]
        beyond = f"a token or a position is beyond the end of a table ({listed(tables, 4)})"
        return UnfitInputs(
            f"the model cannot look up tokens up to {int(x.max()):,} in sequences of shape {shape}: {beyond}; give an "
            "example of smaller tokens, or a shorter one",
            reason=beyond,
        )
    looks_up = any(isinstance(part, EMBEDDINGS) for part in model.modules())
    if tokens and not looks_up:
        return UnfitInputs(
            f"the model cannot run on whole numbers, which an example holds as tokens ({reason}); give an example of "
            "floating-point numbers",
            reason=f"it cannot run on whole numbers ({reason})",
        )
    if ("indices" in reason or "embedding" in reason) and looks_up:
        return UnfitInputs(
            "the model takes indices of an embedding: give tokens, --example INTEGERS of shape (batch, length); or "
            "pass the part of it behind the embedding",
            reason="it takes indices of an embedding, that is tokens",
        )
    given = to_give(model) if tokens else "--input-shape C,H,W or that of other values"
    return UnfitInputs(
        f"the model cannot run on inputs of shape {shape} (without the batch): {reason}; give {given}",
        reason=f"it cannot run on them ({reason})",
    )


def switched_off(model: nn.Module) -> dict[str, bool]:
    """Arguments that must be off: a cache of what was computed before."""
    try:
        return {OFF: False} if OFF in inspect.signature(model.forward).parameters else {}
    except (TypeError, ValueError):
        return {}


def output_of(found: Any) -> tuple[Any, ...] | None:
    """Where in what a model gives its output stands: keys, one inside the other.

    Of named outputs `logits`, or else `last_hidden_state`; of a tuple the first. None: that is not said.

    >>> output_of({"logits": 1, "hidden": 2}), output_of((1, (2, 3))), output_of({"a": 1, "b": 2}), output_of(1)
    (('logits',), (0,), None, ())
    """
    path: list[Any] = []
    while isinstance(found, (dict, list, tuple)):
        inside: Any = found
        parts = found.items() if isinstance(found, dict) else enumerate(found)
        filled: list[Any] = [key for key, part in parts if _leaves(part)]
        named = [key for key in OUTPUTS if isinstance(found, dict) and key in filled]
        first = named or (filled if len(filled) == 1 or isinstance(found, tuple) else [])
        if not first:
            return None
        path.append(first[0])
        found = inside[first[0]]
    return tuple(path)


def several(count: int) -> str:
    """What to do about a model with more than one output, or none."""
    return (
        f"the model gives {count} outputs; a network with one output tensor is read: wrap it in a module that returns "
        "one of them"
    )


def _leaves(found: Any) -> list[Any]:
    if found is None:  # of (logits, None) the first
        return []
    if isinstance(found, dict):
        return [leaf for part in found.values() for leaf in _leaves(part)]
    if isinstance(found, (list, tuple)):
        return [leaf for part in found for leaf in _leaves(part)]
    return [found]
