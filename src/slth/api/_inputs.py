"""What a verb is told about inputs: their range, their mean and deviation, the data they come from."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from slth import _arguments
from slth._errors import InputError
from slth.ticket import Domain, InputSpec

InputRange = tuple[float | int | np.ndarray, float | int | np.ndarray]  # lower, upper; numbers, or one number per input
Numbers = float | int | np.number | Sequence[float | int] | np.ndarray  # one, or one per channel

_log = logging.getLogger("slth.api")  # its notes are shown by the command line


def standardisation(mean: Any, std: Any) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
    """Mean and deviation, each one number or one per channel; None if nothing was said."""
    _arguments.together(mean=mean, std=std)
    return None if mean is None else (_arguments.numbers("mean", mean), _arguments.numbers("std", std))


def flat_standardisation(mean: Any, std: Any) -> tuple[float, float] | None:
    """Mean and deviation of inputs that have no channels."""
    found = standardisation(mean, std)
    if found is None:
        return None
    if len(found[0]) != 1 or len(found[1]) != 1:
        raise InputError(
            f"mean and std must be one number each, for flat inputs have no channels; got {len(found[0])} and "
            f"{len(found[1])}: give their average"
        )
    return found[0][0], found[1][0]


def domain(
    input_range: InputRange | None = None,
    *,
    data: str | Path | None = None,
    data_dir: str | Path | None = None,
    mean: Any = None,
    std: Any = None,
) -> Domain:
    """The inputs that a ticket speaks of: a range as given, or as a data set states it; says what is missing."""
    _arguments.apart("both state the inputs", input_range=input_range, data=data)
    scale = flat_standardisation(mean, std)
    if data is not None:
        lower, upper = _range_of(data, data_dir, scale)
        return Domain((lower,), (upper,), scale)
    if input_range is None:
        everywhere = Domain(normalize=scale)
        _log.info(
            "no input range: inputs may be negative, and no bound on the output is certified; "
            "give --input-range lo,hi or --data NAME"
        )
        return everywhere
    lower, upper = (
        _arguments.ends("an end of input_range", end) for end in _arguments.pair("input_range", input_range, "(0, 1)")
    )
    return Domain(lower, upper, scale)


def _range_of(data: str | Path, data_dir: str | Path | None, scale: tuple[float, float] | None) -> tuple[float, float]:
    from slth.data import load

    found = load(data, data_dir=data_dir, train=False)
    found = found if scale is None else found.normalised(*scale)
    if found.range_observed:
        _log.info("assumed: inputs stay in the range seen in %s", data)
    return found.input_range


def flat_examples(
    data: Any, data_dir: str | Path | None, scale: tuple[float, float] | None
) -> tuple[np.ndarray, np.ndarray, str]:
    """Test inputs of a flat network, labels, and the name of the data. Arrays are taken as they are."""
    if not isinstance(data, str | Path):
        return _arrays(data)
    from slth.data import load

    test = load(data, data_dir=data_dir, train=False)
    test = test if scale is None else test.normalised(*scale)
    return test.test_x, test.test_y, test.name


def shaped_examples(
    data: Any,
    data_dir: str | Path | None,
    scale: tuple[tuple[float, ...], tuple[float, ...]] | None,
    spec: InputSpec | None,
) -> tuple[np.ndarray, np.ndarray, str]:
    """Test inputs as a learned ticket takes them, labels, and the name of the data. Arrays are taken as they are."""
    if not isinstance(data, str | Path):
        return _arrays(data)
    from slth.data import load_images

    examples = load_images(data, data_dir=data_dir)
    if spec is not None and spec.shape != examples.shape:
        raise InputError(f"the ticket takes inputs of shape {spec.shape}, {examples.name} has {examples.shape}")
    if scale is not None:
        mean, std = (values * examples.channels if len(values) == 1 else values for values in scale)
        spec = InputSpec(examples.shape, mean, std)
    elif spec is None:
        spec = InputSpec(examples.shape, examples.mean, examples.std)
    return spec.normalised(examples.test_x), examples.test_y, examples.name


def _arrays(data: Any) -> tuple[np.ndarray, np.ndarray, str]:
    x, y = _arguments.pair("data", data, "(x, y) of arrays, or a name such as 'digits'")
    return np.asarray(_arguments.array("x", x), np.float32), _arguments.array("y", y), "arrays"
