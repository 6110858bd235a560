"""What is given to a module to see what it does: an example of its inputs, numbers or tokens; how many it knows."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, fx, nn
from torch.export import ExportedProgram

from slth._errors import InputError
from slth.graph import Shape

LOOKS_UP = "embedding."
TOKENS, IMAGES = "input_ids", "pixel_values"  # what a model of the transformers library calls its input


def rows_of(example: Any, input_shape: Shape | None) -> np.ndarray:
    """A batch of inputs, float64 or tokens int64, of a batch or of one input: one axis, or `input_shape`.

    Raises:
        InputError: neither numbers nor tokens.
    """
    array = example.detach().cpu() if isinstance(example, Tensor) else torch.as_tensor(np.asarray(example))
    tokens = not array.is_floating_point() and not array.is_complex() and array.dtype != torch.bool
    array = array[None] if array.ndim == 1 or tuple(array.shape) == input_shape else array
    if not (tokens or array.is_floating_point()) or array.ndim < 2 or not array.numel():
        raise InputError(
            f"expected an example of shape (batch, ...) of floating-point numbers, or of whole numbers as tokens, got "
            f"{array.dtype} of shape {tuple(array.shape)}"
        )
    if tokens and int(array.min()) < 0:
        raise InputError(f"the example holds {int(array.min())}; expected tokens, whole numbers from 0")
    return (array.long() if tokens else array.double()).numpy()


def tokens_of_name(model: nn.Module, shape: Shape | None) -> np.ndarray | None:
    """One example of a model of the transformers library that calls its input tokens; None of any other."""
    named = getattr(model, "main_input_name", None) == TOKENS
    return np.zeros((1, *shape), np.int64) if named and shape else None


def to_give(model: nn.Module) -> str:
    """How to say what one input of a model is.

    >>> to_give(nn.Conv2d(3, 4, 3))
    '--input-shape C,H,W'
    >>> to_give(nn.Sequential(nn.Embedding(9, 4), nn.Linear(4, 2)))
    'an example of the tokens that it reads, --example FILE, or of numbers --input-shape C,H,W'
    """
    named = getattr(model, "main_input_name", None)
    if named == TOKENS:
        return "how many tokens it reads, --input-shape LENGTH or, as an example of them, --example FILE"
    if isinstance(named, str) and named.isidentifier() and named != IMAGES:
        return f"the shape of its {named} without the batch, as --input-shape, or --example FILE"
    if any(isinstance(part, (nn.Embedding, nn.EmbeddingBag)) for part in model.modules()):
        return "an example of the tokens that it reads, --example FILE, or of numbers --input-shape C,H,W"
    return "--input-shape C,H,W"


def tokens_read(program: ExportedProgram) -> int | None:
    """Rows of the smallest table in which a program looks up its input; None if it does not."""
    inputs = {spec.arg.name for spec in program.graph_signature.input_specs if spec.kind.name == "USER_INPUT"}
    from_input: set[fx.Node] = set()
    counts: list[int] = []
    for node in program.graph.nodes:
        if (node.op == "placeholder" and node.name in inputs) or any(n in from_input for n in node.all_input_nodes):
            from_input.add(node)
        if str(node.target).removeprefix("aten.").startswith(LOOKS_UP) and node.args[1] in from_input:
            counts.append(int(node.args[0].meta["val"].shape[0]))
            from_input.discard(node)
    return min(counts, default=None)
