"""The public verbs: construct, load, verify, evaluate, train, and the two views of a ticket."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from slth._errors import InputError
from slth.construction import Layout, Plan, plan_layout
from slth.construction import construct as _construct
from slth.evaluate import Evaluation, Verification
from slth.evaluate import evaluate as _evaluate
from slth.evaluate import verify as _verify
from slth.network import Mlp, read_target
from slth.records import cores
from slth.ticket import Domain, Ticket, load

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
        retries: further attempts, each wider as a whole, while weights miss; the ticket counts attempts.
        source: a ticket whose random network is to be used: same seed, same width, another mask.
        input_range: (lower, upper) of the network's inputs. It decides whether inputs can be negative, and the box of
            the certificate. None: any input, no bound over a domain.
        normalize: (mean, std) applied to raw data before the network; only recorded, for `evaluate`.
        order, activation: what a state dict does not say; see `slth.network.read_target`.
        threads: None uses the processors of this process. The ticket has the same bytes for any number.
        progress: called with (problems solved, problems in all).

    Returns:
        The ticket. Weights that missed the tolerance are counted in `ticket.misses`, never hidden.

    Raises:
        InputError: one sentence on what was expected, what arrived, what to try.

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
        Plan(
            tolerance=None if tolerance is None else float(tolerance),
            epsilon=None if epsilon is None else float(epsilon),
            candidates=None if candidates is None else int(candidates),
            failure_probability=float(failure_probability),
            seed=int(seed),
            retries=retries,
            source=load(source) if isinstance(source, (str, Path)) else source,
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
    failure_probability: float = 0.01,
    input_range: InputRange | None = None,
    order: Sequence[str] | None = None,
) -> Layout:
    """The width that `construct` would choose: layers, tolerances and expected misses, without solving anything."""
    target = read_target(model, order=order)
    asked = Plan(tolerance=tolerance, epsilon=epsilon, failure_probability=failure_probability)
    return plan_layout(target.layers, asked, domain=domain(input_range))


def domain(input_range: InputRange | None, normalize: tuple[float, float] | None = None) -> Domain:
    """The inputs a ticket speaks of, from plain numbers or arrays."""
    scale = None if normalize is None else (float(normalize[0]), float(normalize[1]))
    if input_range is None:
        return Domain(normalize=scale)
    lower, upper = (tuple(float(v) for v in np.atleast_1d(np.asarray(end, np.float64))) for end in input_range)
    return Domain(lower, upper, scale)


def verify(ticket: Ticket | str | Path, *, target: Any = None, order: Sequence[str] | None = None) -> Verification:
    """Check a ticket against itself and, with `target`, every claim about the network it stands for.

    Regenerates the random weights, never calls a solver. `.holds` is the verdict, `.checks` the list.
    """
    layers = None if target is None else read_target(target, order=order).layers
    return _verify(ticket, target=layers)


def evaluate(
    ticket: Ticket | str | Path,
    data: str | Path | tuple[np.ndarray, np.ndarray],
    *,
    target: Any = None,
    data_dir: str | Path | None = None,
    normalize: tuple[float, float] | None = None,
    order: Sequence[str] | None = None,
) -> Evaluation:
    """Accuracy with confidence interval, and with `target` the predictions changed, distances and proofs.

    Args:
        data: a name ("digits", "mnist", "fashion_mnist"), a path to an `.npz` with `x` and `y`, or the pair (x, y) as
            the network takes it.
        normalize: (mean, std) for named data; None: as the ticket says.
    """
    ticket = ticket if isinstance(ticket, Ticket) else load(ticket)
    if isinstance(data, tuple):
        inputs, labels, name = np.asarray(data[0], np.float32), np.asarray(data[1]), "arrays"
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
    """The function a ticket computes, as a module: few operations. Needs PyTorch."""
    from slth.network import realised as view

    return view(ticket if isinstance(ticket, Ticket) else load(ticket))


def source(ticket: Ticket | str | Path) -> "nn.Sequential":
    """The pruned random network itself, as a module. Needs PyTorch."""
    from slth.network import source as view

    return view(ticket if isinstance(ticket, Ticket) else load(ticket))


__all__ = ["Mlp", "construct", "domain", "evaluate", "load", "plan", "realised", "source", "train", "verify"]
