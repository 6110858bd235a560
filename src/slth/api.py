"""The public verbs: construct, load, verify, evaluate, apply, train, and the two views of a ticket."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from slth._errors import InputError
from slth.construction import Layout, Plan, plan_layout
from slth.construction import construct as _construct
from slth.evidence import Evaluation, LearnedEvaluation, Verification, evaluate_learned
from slth.evidence import evaluate as _evaluate
from slth.evidence import verify as _verify
from slth.network import Mlp, read_target
from slth.records import cores
from slth.ticket import Domain, InputSpec, LearnedTicket, Ticket, load, load_constructed

if TYPE_CHECKING:
    from torch import nn

InputRange = tuple[float | int | np.ndarray, float | int | np.ndarray]  # lower, upper; numbers, or one number per input


def construct(
    model: Any,
    *,
    tolerance: float | None = None,
    epsilon: float | None = None,
    candidates: int | None = None,
    failure_probability: float = 0.01,
    seed: int = 0,
    retries: int = 0,
    source: Ticket | str | Path | None = None,
    input_range: InputRange | None = None,
    normalize: tuple[float, float] | None = None,
    order: Sequence[str] | None = None,
    activation: str | None = None,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Ticket:
    """Turn a trained ReLU network into a strong lottery ticket: a seed, a mask and a certificate.

    Args:
        model: an `nn.Sequential` of Linear and ReLU, a state dict, or a path to `.safetensors` or `.pt`.
        tolerance: the largest error of one weight, in the unit of the weights; 1e-4 unless `epsilon` is given.
        epsilon: instead, the largest certified error of any output on the input range; tolerances follow from it.
        candidates: random candidates per weight and half, 1 to 64; None: planned, see `failure_probability`.
        failure_probability: the network gets so wide that at most this many weights are expected to miss.
        seed: names the random network.
        retries: further attempts while weights miss, each of the whole network: wider if the width is planned, with
            the next seed if `candidates` are given. The ticket names its seed and counts attempts.
        source: a ticket whose random network is to be used: same seed, same width, another mask.
        input_range: (lower, upper) of the network's inputs. It decides whether inputs can be negative, and the box of
            the certificate. None: any input, no bound over a domain.
        normalize: (mean, std) applied to raw data before the network; only recorded, for `evaluate`.
        order, activation: what a state dict does not say; see `slth.network.read_target`.
        threads: None uses the processors of this process. The ticket has the same bytes for any number.
        progress: called with (problems solved, problems in all).

    Returns:
        The ticket. Weights that missed the tolerance are counted in `ticket.misses`, never hidden. With `epsilon`
        its certificate meets it, misses or not.

    Raises:
        InputError: one sentence on what was expected, what arrived, what to try; also if `epsilon` is out of reach.

    >>> import slth
    >>> ticket = slth.construct({"weight": np.array([[0.5, -0.25]])}, input_range=(0, 1), tolerance=0.01)
    >>> ticket.misses, slth.verify(ticket, target={"weight": np.array([[0.5, -0.25]])}).holds
    (0, True)
    """
    target = read_target(model, order=order, activation=activation)
    workers = cores() if threads is None else threads
    if type(workers) is not int or workers < 1:
        raise InputError(f"threads must be a whole number, at least 1, got {threads!r}")
    return _construct(
        target.layers,
        _plan(
            tolerance=tolerance,
            epsilon=epsilon,
            candidates=candidates,
            failure_probability=failure_probability,
            seed=seed,
            retries=retries,
            source=load_constructed(source) if isinstance(source, (str, Path)) else source,
        ),
        domain=domain(input_range, normalize),
        names=target.names,
        threads=workers,
        progress=progress,
    )


def plan(
    model: Any,
    *,
    tolerance: float | None = None,
    epsilon: float | None = None,
    candidates: int | None = None,
    failure_probability: float = 0.01,
    input_range: InputRange | None = None,
    order: Sequence[str] | None = None,
    activation: str | None = None,
) -> Layout:
    """The width that `construct` would choose: layers, tolerances and expected misses, without solving anything.

    With `candidates`, the misses to expect at that width. Arguments as for `construct`.

    >>> model = {"weight": np.array([[0.5, -0.25]])}
    >>> few, many = (plan(model, candidates=n, input_range=(0, 1)).expected_misses for n in (10, 30))
    >>> few > 1 > 0.01 > many
    True
    """
    target = read_target(model, order=order, activation=activation)
    asked = _plan(tolerance=tolerance, epsilon=epsilon, candidates=candidates, failure_probability=failure_probability)
    return plan_layout(target.layers, asked, domain=domain(input_range))


def domain(input_range: InputRange | None, normalize: tuple[float, float] | None = None) -> Domain:
    """The inputs a ticket speaks of, from plain numbers or arrays."""
    scale = None
    if normalize is not None:
        mean, std = _pair("normalize", normalize, "(0.1307, 0.3081)")
        scale = (_number("the mean of normalize", mean), _number("the std of normalize", std))
    if input_range is None:
        return Domain(normalize=scale)
    lower, upper = (_ends(end) for end in _pair("input_range", input_range, "(0, 1)"))
    return Domain(lower, upper, scale)


def verify(
    ticket: Ticket | LearnedTicket | str | Path, *, target: Any = None, order: Sequence[str] | None = None
) -> Verification:
    """Check a ticket against itself and, with `target`, every claim about the network it stands for.

    A learned ticket stands for no target: everything it says is checked from the file alone.

    Regenerates the random weights, never calls a solver. `.holds` is the verdict, `.checks` the list.
    """
    layers = None if target is None else read_target(target, order=order).layers
    return _verify(ticket, target=layers)


def evaluate(
    ticket: Ticket | LearnedTicket | str | Path,
    data: str | Path | tuple[np.ndarray, np.ndarray],
    *,
    target: Any = None,
    model: "nn.Module | None" = None,
    data_dir: str | Path | None = None,
    normalize: tuple[float, float] | None = None,
    order: Sequence[str] | None = None,
) -> Evaluation | LearnedEvaluation:
    """Accuracy with confidence interval, and with `target` the predictions changed, distances and proofs.

    Args:
        data: a name ("digits", "mnist", "fashion_mnist", "cifar10"), a path to an `.npz` with `x` and `y`, or the pair
            (x, y) as the network takes it.
        target: the network a constructed ticket stands for.
        model: for a learned ticket that is bound to a model of yours: such a model; it is not changed.
        normalize: (mean, std) for named data; None: as the ticket says.
    """
    ticket = ticket if isinstance(ticket, Ticket | LearnedTicket) else load(ticket)
    if isinstance(ticket, LearnedTicket):
        if target is not None:
            raise InputError("a learned ticket stands for no target network; evaluate it without a target")
        inputs, labels, name = _examples(ticket.inputs, data, data_dir, normalize)
        return evaluate_learned(ticket, inputs, labels, data=name, model=model)
    if model is not None:
        raise InputError("a constructed ticket needs no model: it is a network by itself; to compare, give a target")
    if not isinstance(data, (str, Path)):
        x, y = _pair("data", data, "(x, y) of arrays, or a name such as 'digits'")
        inputs, labels, name = np.asarray(_array("x", x), np.float32), _array("y", y), "arrays"
    else:
        from slth.data import load as load_data

        test = load_data(data, data_dir=data_dir, train=False)
        scale = normalize or ticket.domain.normalize
        test = test if scale is None else test.normalised(*scale)
        inputs, labels, name = test.test_x, test.test_y, test.name
    layers = None if target is None else read_target(target, order=order).layers
    return _evaluate(ticket, inputs, labels, data=name, target=layers)


def train(
    data: str | Path = "digits",
    *,
    hidden: Sequence[int] = (64,),
    bias: bool = True,
    epochs: int = 10,
    seed: int = 0,
    data_dir: str | Path | None = None,
    normalize: tuple[float, float] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, np.ndarray]:
    """Train a ReLU MLP on a named data set: the state dict of an `nn.Sequential`, float32. Needs PyTorch.

    `progress` is called after each epoch with (epochs done, epochs). SGD 0.1, momentum 0.9, weight decay 5e-4,
    batch 64, cosine rate: the settings of Pensia et al. (2020).
    """
    from slth.data import load as load_data
    from slth.network import train_mlp

    loaded = load_data(data, data_dir=data_dir)
    loaded = loaded if normalize is None else loaded.normalised(*normalize)
    widths = [loaded.train_x.shape[1], *hidden, loaded.classes]

    def report(epoch: int, _loss: float) -> None:
        if progress is not None:
            progress(epoch, epochs)

    return train_mlp(loaded.train_x, loaded.train_y, widths, bias=bias, epochs=epochs, seed=seed, progress=report)


def realised(ticket: Ticket | str | Path) -> "nn.Sequential":
    """The function a constructed ticket computes, as a module: few operations. Needs PyTorch."""
    from slth.network import realised as view

    return view(ticket if isinstance(ticket, Ticket) else load_constructed(ticket))


def source(ticket: Ticket | str | Path) -> "nn.Sequential":
    """The pruned random network itself, as a module; of a constructed ticket. Needs PyTorch."""
    from slth.network import source as view

    return view(ticket if isinstance(ticket, Ticket) else load_constructed(ticket))


def module(ticket: LearnedTicket | str | Path) -> "nn.Module":
    """The pruned network of a learned ticket, rebuilt by name, in evaluation mode. Needs PyTorch.

    Raises:
        InputError: a ticket that is bound to a model of the user's: `apply` loads it into one.
    """
    from slth.network import module_of

    return module_of(_learned(ticket))


def apply(ticket: LearnedTicket | str | Path, model: "nn.Module") -> "nn.Module":
    """Load a learned ticket into a model of the same shapes, in place and bit for bit; the model. Needs PyTorch.

    Raises:
        InputError: naming the first parameter that does not fit; nothing was changed.
    """
    from slth.network import apply_to

    return apply_to(_learned(ticket), model)


def _learned(ticket: LearnedTicket | str | Path) -> LearnedTicket:
    found = ticket if isinstance(ticket, LearnedTicket) else load(ticket)
    if not isinstance(found, LearnedTicket):
        raise InputError("a constructed ticket is a network by itself: slth.realised(ticket) makes it")
    return found


def _examples(
    spec: InputSpec | None, data: Any, data_dir: str | Path | None, normalize: tuple[float, float] | None
) -> tuple[np.ndarray, np.ndarray, str]:
    """Test inputs as a learned ticket takes them, labels, and the name of the data."""
    if not isinstance(data, (str, Path)):
        x, y = _pair("data", data, "(x, y) of arrays, or a name such as 'digits'")
        return np.asarray(_array("x", x), np.float32), _array("y", y), "arrays"
    from slth.data import load_images

    examples = load_images(data, data_dir=data_dir)
    if spec is not None and spec.shape != examples.shape:
        raise InputError(f"the ticket takes inputs of shape {spec.shape}, {examples.name} has {examples.shape}")
    if normalize is not None:
        mean, std = (float(value) for value in normalize)
        spec = InputSpec(examples.shape, (mean,) * examples.channels, (std,) * examples.channels)
    elif spec is None:
        spec = InputSpec(examples.shape, examples.mean, examples.std)
    return spec.normalised(examples.test_x), examples.test_y, examples.name


def _number(name: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{name} must be a number such as 0.01, got {_shown(value)}") from error


def _whole(name: str, value: Any) -> int:
    try:
        whole = int(value)
    except (TypeError, ValueError, OverflowError):
        whole = None
    if whole is None or whole != value:
        raise InputError(f"{name} must be a whole number such as 30, got {_shown(value)}")
    return whole


def _pair(name: str, value: Any, example: str) -> tuple[Any, Any]:
    try:
        first, second = [] if isinstance(value, (str, bytes)) else value
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} must be a pair such as {example}, got {_shown(value)}") from error
    return first, second


def _array(name: str, value: Any) -> np.ndarray:
    try:
        found = np.asarray(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"{name} must be an array of numbers, got {_shown(value)}") from error
    if found.dtype.kind not in "biuf":
        raise InputError(f"{name} must be an array of numbers, got {_shown(value)}")
    return found


def _ends(value: Any) -> tuple[float, ...]:
    """One end of an input range: one number for all inputs, or one for each."""
    return tuple(float(v) for v in np.atleast_1d(_array("an end of input_range", value)).reshape(-1))


def _shown(value: Any) -> str:
    return f"{' '.join(repr(value).split())[:60]} ({type(value).__name__})"


def _plan(
    *,
    tolerance: float | None,
    epsilon: float | None,
    candidates: int | None,
    failure_probability: float,
    seed: int = 0,
    retries: int = 0,
    source: Ticket | None = None,
) -> Plan:
    """A plan from numbers of any kind, such as NumPy's."""
    return Plan(
        tolerance=None if tolerance is None else _number("tolerance", tolerance),
        epsilon=None if epsilon is None else _number("epsilon", epsilon),
        candidates=None if candidates is None else _whole("candidates", candidates),
        failure_probability=_number("failure_probability", failure_probability),
        seed=_whole("seed", seed),
        retries=retries,
        source=source,
    )


__all__ = [
    "Mlp",
    "apply",
    "construct",
    "domain",
    "evaluate",
    "load",
    "module",
    "plan",
    "realised",
    "source",
    "train",
    "verify",
]
