"""A network known by its shape: which maps it has and how often, none of its numbers.

Weights and biases are assumed to be Gaussian of He's deviation √(2 / fan-in); the plan counts quantiles and draws
nothing. Of a dense chain the graph says which inputs can be negative. Named networks are lists of maps: ResNet-50 with
its normalisations folded, as it would be read; of the transformers the matrices of attention and of the feed-forward
layers, which read what a LayerNorm gives (or a GELU), so that all of their inputs can be negative.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from slth import _arguments
from slth._errors import InputError
from slth.construction.sizes import Sizes, gaussian
from slth.graph import Conv, Dense, Linear, dense_chain, signed_inputs
from slth.ticket import Inputs

MOST_WIDTH, MOST_WIDTHS = 10**6, 1000
_GAUSSIAN = "weights and biases are Gaussian with deviation sqrt(2 / fan-in)"
_SIGNED = "inputs can be negative; --input-range 0,1 says otherwise"
_ATTENTION = "planned, not constructible yet: attention and LayerNorm are no ops of a ticket"


@dataclass(frozen=True, slots=True)
class OutlinedMap:
    """A linear map, or several equal ones."""

    op: Linear  # named after the first
    signed: tuple[tuple[int, int], ...]  # half-open ranges of the inputs that can be negative
    times: int = 1

    def sizes(self, *, halved: bool = True) -> Sizes:
        """Subset sums of one of them, by the size of their targets; `halved`: those of signed inputs are two."""
        rows, inputs, taps = self.op.coefficients
        twice = sum(stop - start for start, stop in self.signed) / inputs if halved else 0.0
        return gaussian(rows * inputs * taps, self._deviation, times=1 + twice)

    @property
    def bias(self) -> Sizes | None:
        """The same of its bias."""
        return gaussian(self.op.basis.outputs, self._deviation) if self.op.bias else None

    @property
    def _deviation(self) -> float:
        basis = self.op.basis
        return math.sqrt(2 * basis.groups / (basis.inputs * basis.taps))


@dataclass(frozen=True, slots=True)
class Outline:
    """A network without numbers."""

    name: str
    maps: tuple[OutlinedMap, ...]
    carried: int  # parameters that a ticket would carry as they are: embeddings, normalisations
    assumed: tuple[str, ...]  # sentences
    cannot: str | None  # why slth cannot construct it, in a sentence

    @property
    def weights(self) -> int:
        """Parameters of all maps."""
        return sum(part.op.weights * part.times for part in self.maps)


def outline(shape: Sequence[int] | str, *, lower: float | None = None) -> Outline:
    """The network of a shape: widths from input to output with ReLU between them, or a name.

    Args:
        shape: such as (784, 500, 10), or one of `NAMES`.
        lower: the smallest number that an input can be; None: any.

    Raises:
        InputError: widths that are none, an unknown name, a range of inputs that are tokens.
    """
    if isinstance(shape, str):
        name = _arguments.one_of(shape, NAMES, "network", loosely=True, instead="widths such as 784,500,10")
        if name == "resnet-50":
            return _resnet50(signed=lower is None or lower < 0)
        if lower is not None:
            raise InputError(f"{name} reads tokens, not numbers; give no input range with it")
        return _transformer(name)
    return _dense(check_widths(shape), signed=lower is None or lower < 0)


def check_widths(widths: Sequence[int]) -> tuple[int, ...]:
    """Widths from input to output, as they are.

    Raises:
        InputError: fewer than two, too many, or too large ones.
    """
    if not 2 <= len(widths) <= MOST_WIDTHS:
        raise InputError(
            f"shape must be 2 to {MOST_WIDTHS:,} widths from input to output, such as 784,500,10, or a name: "
            f"{', '.join(NAMES)}; got {len(widths):,}"
        )
    for width in widths:
        if not 1 <= width <= MOST_WIDTH:
            found = f"{width:,}" if abs(width) < 10**15 else f"about {float(min(width, 10**300)):.0e}"
            raise InputError(f"a width must be a whole number from 1 to {MOST_WIDTH:,}, got {found}; try 784,500,10")
    return tuple(widths)


def _dense(widths: tuple[int, ...], *, signed: bool) -> Outline:
    graph = dense_chain(widths, [True] * (len(widths) - 1))
    inputs = Inputs((widths[0],)) if signed else Inputs((widths[0],), lower=(0.0,), upper=(1.0,))
    negative = signed_inputs(graph, inputs.shape, inputs.negative, {})
    maps: list[OutlinedMap] = []
    for path, op in graph.maps.items():
        ranges = _all(op.basis.inputs) if negative[path].any() else ()
        last = maps[-1] if maps else None
        if last is not None and (last.op.basis, last.signed) == (op.basis, ranges):
            maps[-1] = OutlinedMap(last.op, ranges, last.times + 1)
        else:
            maps.append(OutlinedMap(op, ranges))
    chain = "-".join(map(str, widths)) if len(widths) <= 8 else f"{widths[0]}-...-{widths[-1]}"
    assumed = (_GAUSSIAN, "ReLU between the layers", *([_SIGNED] if signed else []))
    return Outline(chain, tuple(maps), 0, assumed, None)


def _resnet50(*, signed: bool) -> Outline:
    """He, Zhang, Ren and Sun (2016), stride in the 3 x 3 convolutions."""

    def maps() -> Iterator[OutlinedMap]:
        yield OutlinedMap(_conv("conv1", 3, 64, 7, 2), _all(3) if signed else ())
        entering = 64
        for stage, (middle, blocks) in enumerate(((64, 3), (128, 4), (256, 6), (512, 3)), 1):
            leaving, stride = 4 * middle, 1 if stage == 1 else 2
            yield OutlinedMap(_conv(f"layer{stage}.0.conv1", entering, middle, 1, 1), ())
            yield OutlinedMap(_conv(f"layer{stage}.0.conv2", middle, middle, 3, stride), ())
            yield OutlinedMap(_conv(f"layer{stage}.0.conv3", middle, leaving, 1, 1), (), blocks)
            yield OutlinedMap(_conv(f"layer{stage}.0.downsample", entering, leaving, 1, stride), ())
            yield OutlinedMap(_conv(f"layer{stage}.1.conv1", leaving, middle, 1, 1), (), blocks - 1)
            yield OutlinedMap(_conv(f"layer{stage}.1.conv2", middle, middle, 3, 1), (), blocks - 1)
            entering = leaving
        yield OutlinedMap(Linear("fc", Dense(2048, 1000), True), ())

    assumed = (_GAUSSIAN, "BatchNorm is folded into the convolutions", *([_SIGNED] if signed else []))
    return Outline("resnet-50", tuple(maps()), 0, assumed, None)


@dataclass(frozen=True, slots=True)
class _Transformer:
    layers: int
    width: int
    heads: int
    vocabulary: int
    positions: int
    encoder: bool  # BERT: segments, a pooler, a LayerNorm after the embeddings; else a decoder as GPT


_TRANSFORMERS = {
    "bert-base": _Transformer(12, 768, 12, 30_522, 512, True),
    "bert-large": _Transformer(24, 1024, 16, 30_522, 512, True),
    "gpt-3": _Transformer(96, 12_288, 96, 50_257, 2048, False),
}
NAMES = ("resnet-50", *_TRANSFORMERS)


def _transformer(name: str) -> Outline:
    """Devlin and others (2019); Brown and others (2020). The output layer is the embedding, transposed."""
    known = _TRANSFORMERS[name]
    d = known.width

    def dense(path: str, inputs: int, outputs: int, times: int) -> OutlinedMap:
        return OutlinedMap(Linear(path, Dense(inputs, outputs), True), _all(inputs), times)

    maps = [
        dense("attention/query, key, value, output", d, d, 4 * known.layers),
        dense("feed_forward/in", d, 4 * d, known.layers),
        dense("feed_forward/out", 4 * d, d, known.layers),
    ]
    if known.encoder:
        maps.append(dense("pooler", d, d, 1))
    embeddings = (known.vocabulary + known.positions + (2 if known.encoder else 0)) * d
    norms = (2 * known.layers + 1) * 2 * d
    assumed = (
        _GAUSSIAN,
        f"{embeddings:,} numbers of embeddings and {norms:,} of LayerNorms are carried, not constructed",
        f"{known.layers} layers of width {d:,} with {known.heads} heads",
    )
    return Outline(name, tuple(maps), embeddings + norms, assumed, _ATTENTION)


def _conv(path: str, inputs: int, outputs: int, kernel: int, stride: int) -> Linear:
    padding = (kernel // 2,) * 4
    return Linear(path, Conv(inputs, outputs, (kernel, kernel), (stride, stride), padding, (1, 1)), True)


def _all(inputs: int) -> tuple[tuple[int, int], ...]:
    return ((0, inputs),)
