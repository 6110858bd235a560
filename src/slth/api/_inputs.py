"""What a verb is told about inputs: their range, their mean and deviation, the data they come from."""

import logging
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from slth import _arguments
from slth._errors import InputError, option, spoken
from slth.construction import Calibration
from slth.graph import Target, token_count
from slth.ticket import Inputs

InputRange = tuple[float | int | np.ndarray, float | int | np.ndarray]  # lower, upper; numbers, or one number per input
Numbers = float | int | np.number | Sequence[float | int] | np.ndarray  # one, one per channel, or one per input

MOST_CALIBRATION = 1024  # inputs

_log = logging.getLogger("slth.api")  # its notes are shown by the command line


def standardisation(
    mean: Any, std: Any, shape: tuple[int, ...]
) -> tuple[tuple[float, ...], tuple[float, ...]] | tuple[None, None]:
    """Mean and deviation, each one number, one per channel, or an array of the shape; None if nothing was said."""
    _arguments.together(mean=mean, std=std)
    if mean is None:
        return None, None
    mean, std = (
        _arguments.numbers(name, _entries(name, given, shape)) for name, given in (("mean", mean), ("std", std))
    )
    return mean, std


def stated_scale(target: Any, mean: Any, std: Any, shape: tuple[int, ...]) -> tuple[Any, Any]:
    """Mean and deviation as they were given; else as the file of a network says, which `slth` wrote."""
    if mean is not None or std is not None or not isinstance(target, str | Path):
        return mean, std
    from slth.network import stated_in

    said = stated_in(Path(target))
    takes = None if said is None else said.inputs
    if takes is None or takes.mean is None or takes.std is None or takes.size != math.prod(shape):
        return None, None
    if takes.mean == (0.0,) and takes.std == (1.0,):
        return None, None
    _log.info("inputs: %s, as %s says", takes.words, target)
    if takes.shape == shape:
        return takes.mean, takes.std
    mean, std = (
        values if len(values) == 1 else np.broadcast_to(takes.spread(values), takes.shape).reshape(-1)
        for values in (takes.mean, takes.std)
    )
    return mean, std


def inputs_for(
    network: Target,
    target: Any,
    *,
    cut: bool,
    input_range: InputRange | None,
    raw_range: InputRange | None,
    data: str | Path | None,
    data_dir: str | Path | None,
    mean: Any,
    std: Any,
) -> Inputs:
    """The inputs of a network that was read from a target; of layers by themselves nothing is known.

    Args:
        cut: it is a part of what the target's file holds, whose mean and deviation are not its own.
    """
    if not network.graph.joined:
        return Inputs(network.input_shape)
    if not cut:
        mean, std = stated_scale(target, mean, std, network.input_shape)
    return inputs_of(
        network.input_shape,
        input_range,
        raw_range=raw_range,
        data=data,
        data_dir=data_dir,
        mean=mean,
        std=std,
        tokens=token_count(network.graph, network.carried),
    )


def inputs_of(
    shape: tuple[int, ...],
    input_range: InputRange | None = None,
    *,
    raw_range: InputRange | None = None,
    data: str | Path | None = None,
    data_dir: str | Path | None = None,
    mean: Any = None,
    std: Any = None,
    tokens: int | None = None,
) -> Inputs:
    """The inputs that a ticket speaks of: a range as given, or as a data set states it; says what is missing.

    Args:
        tokens: how many there are, of a network that reads tokens; there is nothing else to be said of them.
    """
    _arguments.apart("both state the inputs", input_range=input_range, raw_range=raw_range, data=data)
    if tokens is not None:
        given = {"input_range": input_range, "raw_range": raw_range, "data": data, "mean": mean, "std": std}
        said = next((name for name, value in given.items() if value is not None), None)
        if said is not None:
            raise InputError(
                f"the network reads tokens, integers from 0 to {tokens - 1:,}, not numbers; leave out {option(said)}"
            )
        return Inputs(shape, tokens=tokens)
    scale = standardisation(mean, std, shape)
    if data is not None:
        from slth.data import load

        found = load(data, data_dir=data_dir, train=False, shape=shape, labelled=False)
        if found.range_observed:
            _log.info("assumed: inputs stay in the range seen in %s", data)
        return found.inputs(*scale)
    everywhere = Inputs(shape, *scale)
    if raw_range is not None:
        return everywhere.with_raw_range(*_ends("raw_range", raw_range, shape))
    if input_range is None:
        said = "no input range: inputs may be negative, and no bound on the output is certified; "
        _log.info("%s", spoken(said + "give --input-range lo,hi or --data NAME"))
        return everywhere
    return Inputs(shape, *scale, *_ends("input_range", input_range, shape)).with_float32_ends()


def _ends(name: str, given: InputRange, shape: tuple[int, ...]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Lower and upper end, each one number, one per channel, or one per input."""
    what = f"an end of {name}"
    low, high = (_arguments.ends(what, _entries(what, end, shape)) for end in _arguments.pair(name, given, "(0, 1)"))
    return low, high


def _entries(name: str, given: Any, shape: tuple[int, ...]) -> Any:
    """An array of several axes, in C order: of the shape of the inputs, unless those are flat. Nothing broadcasts."""
    if getattr(given, "ndim", 0) < 2:
        return given
    array = _arguments.array(name, given)
    if len(shape) > 1 and array.shape != shape:
        raise InputError(
            f"{name} must be one number, one for each channel, or an array of the inputs' shape {shape}; "
            f"got an array of shape {array.shape}"
        )
    return array.reshape(-1)


def examples_of(
    inputs: Inputs | None, data: Any, data_dir: str | Path | None, mean: Any, std: Any
) -> tuple[np.ndarray, np.ndarray | None, str]:
    """Test inputs as a network takes them, what is known of them, the name of the data. Arrays are taken as they are.

    Data by name takes the network's own shape, and is standardised as said, or as the network says; where that says
    nothing of its inputs, as the data says.
    """
    if not isinstance(data, str | Path):
        x, y = _arguments.pair("data", data, "(x, y) of arrays, or a name such as 'digits'")
        y = None if y is None else _arguments.array("y", y)
        x = _arguments.array("x", x)
        return _as_taken(inputs, x), y, "arrays"
    from slth.data import load

    _arguments.together(mean=mean, std=std)
    shape = None if inputs is None else inputs.shape
    found = load(data, data_dir=data_dir, train=False, shape=shape, labelled=False)
    if mean is not None or inputs is None:
        scale = standardisation(mean, std, found.shape)
        inputs = found.inputs(*((found.mean, found.std) if mean is None else scale))
    return inputs.normalised(found.test_x), found.test_y, found.name


def calibration_of(inputs: Inputs, data: Any, data_dir: str | Path | None) -> Calibration:
    """Training inputs of a data set as a network takes them, evenly spread over it; arrays as they are."""
    if isinstance(data, str | Path):
        from slth.data import load

        found = load(data, data_dir=data_dir, shape=inputs.shape, labelled=False)
        x, name = found.train_x, Path(found.name).name
        some = x[np.unique(np.linspace(0, len(x) - 1, min(len(x), MOST_CALIBRATION)).astype(np.int64))]
        return Calibration(name, inputs.normalised(some))
    return Calibration("arrays", _as_taken(inputs, _arguments.array("calibration", data)[:MOST_CALIBRATION]))


def _as_taken(inputs: Inputs | None, x: np.ndarray) -> np.ndarray:
    """Arrays that enter the network as they are: tokens, or float32."""
    return inputs.normalised(x) if inputs is not None and inputs.tokens is not None else np.asarray(x, np.float32)
