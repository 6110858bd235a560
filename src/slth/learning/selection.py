"""Exactly the k largest |s|: what every top-k mask is made of.

Scores move little from one step to the next, so the last threshold nearly splits them. On a processor one counting
pass asks whether the new threshold lies in a narrow window around the old one; almost always it does, and the few
scores in the window are sorted. Otherwise a histogram of leading bits finds the window from scratch. On other devices
`torch.topk` selects, without a word to the host. Both keep exactly k, and of equal |s| those with the smaller index:
both compare the bits of |s| as integers, so denormals count, and NaN, which only a broken training makes, lies on top.

    forward   y = w ⊙ 1[|s| among the k largest]
    backward  ∂L/∂|s| = ∂L/∂y ⊙ w (straight through the selection), so ∂L/∂s = sign(s) ∂L/∂y ⊙ w

Straight through |·| as well would push negative scores the wrong way: then nothing is learned.
"""

import math
from collections.abc import Mapping
from fractions import Fraction

import numpy as np
import torch
from torch import Tensor

from slth import _arguments
from slth._errors import InputError

NARROW = 1 << 12  # half width of the first window, in units in the last place of |s|
_ROOM = 1 << 12  # scores expected in a window


def count_kept(density: float, size: int) -> int:
    """k = ⌈density · size⌉, density read as the decimal the user wrote.

    >>> count_kept(0.07, 100), count_kept(0.5, 3)
    (7, 2)
    """
    if isinstance(density, Mapping):
        raise InputError(
            "a method has one density; those of layers by name are the policy's: "
            f"Policy(densities={str(density)[:100]})"
        )
    if not (_arguments.is_real(density) and 0 < density <= 1):
        raise InputError(f"a density is the kept fraction, above 0 and at most 1, such as 0.5; got {density}")
    return math.ceil(Fraction(str(density)) * size)


def masked(weight: Tensor, scores: Tensor, kept: int, window: Tensor) -> Tensor:
    """w where |s| is among the `kept` largest, else 0; the gradient goes to the scores, not to the weights.

    Args:
        weight: w, float32, any shape, constant.
        scores: s, float32, same shape.
        kept: k, from 1 to the number of weights.
        window: int64 (2,), where the threshold was last seen: (magnitude bits, half width). Updated.

    Raises:
        InputError: other types or shapes, or `kept` out of range.
    """
    check_not_exported()
    if weight.dtype != torch.float32 or scores.dtype != torch.float32:
        raise InputError(
            f"weights and scores are float32 under a mask, got {weight.dtype} and {scores.dtype}; for speed use "
            'autocast, as Training(precision="bf16-mixed") does, not model.half() or model.bfloat16()'
        )
    if weight.shape != scores.shape or not 1 <= kept <= scores.numel():
        raise InputError(
            f"expected one score per weight and from 1 to {weight.numel()} kept, got weights of shape "
            f"{tuple(weight.shape)}, scores of shape {tuple(scores.shape)} and kept = {kept}"
        )
    if scores.is_cpu:
        out, seen = _keep_top(weight, scores, kept, window)
        window.copy_(seen)
        return out
    return product(weight, scores, top(scores, kept))


def top(scores: Tensor, kept: int) -> Tensor:
    """The mask alone: true at the `kept` largest |s| (float32), ties by index. No synchronisation with the host."""
    sizes = scores.detach().abs().flatten().view(torch.int32)
    last = sizes.topk(kept, sorted=False).values.min()
    above, ties = sizes > last, sizes == last
    few = ties.cumsum(0) <= kept - above.sum()
    return (above | (ties & few)).view(scores.shape)


def product(weight: Tensor, scores: Tensor, mask: Tensor) -> Tensor:
    """w ⊙ mask, with the gradient of `masked` towards the scores."""
    check_not_exported()
    return _StraightThrough.apply(weight, scores, mask)


def check_not_exported() -> None:
    """A mask on its way into an ONNX file is refused: ONNX has no operator that counts as it does, ties by index.

    Raises:
        InputError: an exporter is running.
    """
    if _exporting():
        raise InputError(
            "a model is written as ONNX without masks: masks.detach() leaves the masked weights in a plain model, "
            "which can be exported; from a ticket, slth.export writes the file"
        )


def _exporting() -> bool:
    return torch.onnx.is_in_onnx_export()


# A compiler takes the answer as it is: `torch.compiler.assume_constant_result`, without the seconds its import takes.
_exporting._dynamo_marked_constant = True  # pyright: ignore[reportFunctionMemberAccess]


def signs(weight: Tensor) -> Tensor:
    """+1 where w ≥ 0, else −1: what a binary network computes with."""
    return torch.where(weight >= 0, 1.0, -1.0)


class _StraightThrough(torch.autograd.Function):
    """Straight through the mask to |s|, then through |·| as usual."""

    @staticmethod
    def forward(ctx, weight: Tensor, scores: Tensor, mask: Tensor) -> Tensor:  # pyright: ignore
        ctx.save_for_backward(weight, scores)
        return weight * mask

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[None, Tensor, None]:  # pyright: ignore
        weight, scores = ctx.saved_tensors
        return None, grad * weight * scores.sign(), None


@torch.library.custom_op("slth::keep_top", mutates_args=())
def _keep_top(weight: Tensor, scores: Tensor, kept: int, window: Tensor) -> tuple[Tensor, Tensor]:
    """Masked weights, and the window of this step for the next; on the processor, compiled."""
    from slth.learning._kernels import keep_top

    out = torch.empty_like(weight, memory_format=torch.contiguous_format)
    bits = scores.detach().contiguous().view(torch.int32).flatten().numpy()
    middle, half = window.tolist()
    magnitudes, indices = np.empty(_ROOM, np.int32), np.empty(_ROOM, np.int32)
    flat = weight.detach().contiguous().flatten().numpy()
    low, high = max(middle - half, 0), middle + half
    last, inside = keep_top(bits, flat, kept, low, high, out.view(-1).numpy(), magnitudes, indices)
    if not low <= last < high:
        if middle > 0:  # the scores move faster: a wider window; at the first sight there is nothing to learn
            half = 2 * max(half, abs(last - middle))
    elif inside > _ROOM // 4:
        half = max(half // 2, 1)
    return out, torch.tensor([last, half])


@_keep_top.register_fake
def _(weight: Tensor, scores: Tensor, kept: int, window: Tensor) -> tuple[Tensor, Tensor]:
    return torch.empty_like(weight, memory_format=torch.contiguous_format), torch.empty_like(window)


def _save_for_backward(ctx, inputs, output) -> None:  # pyright: ignore
    weight, scores, _, _ = inputs
    ctx.save_for_backward(weight, scores)


def _backward(ctx, grad: Tensor, _: Tensor) -> tuple[None, Tensor, None, None]:  # pyright: ignore
    weight, scores = ctx.saved_tensors
    return None, _to_scores(grad.contiguous(), weight, scores), None, None


_keep_top.register_autograd(_backward, setup_context=_save_for_backward)


@torch.library.custom_op("slth::to_scores", mutates_args=())
def _to_scores(grad: Tensor, weight: Tensor, scores: Tensor) -> Tensor:
    """sign(s) ∂L/∂y ⊙ w in one pass."""
    from slth.learning._kernels import score_gradient

    out = torch.empty_like(scores, memory_format=torch.contiguous_format)
    flat = (part.detach().contiguous().flatten().numpy() for part in (grad, weight, scores))
    score_gradient(*flat, out.view(-1).numpy())
    return out


@_to_scores.register_fake
def _(grad: Tensor, weight: Tensor, scores: Tensor) -> Tensor:
    return torch.empty_like(scores, memory_format=torch.contiguous_format)
