"""From a trained network to a ticket."""

import logging
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slth import _arguments
from slth._errors import InputError
from slth.api._inputs import InputRange, Numbers, calibration_of, inputs_for
from slth.api._views import ticket_of
from slth.construction import Request, discard, keep_parts, promise_holds, question
from slth.construction import construct as _construct
from slth.graph import Target
from slth.network import is_model_folder, is_onnx, read_array, read_held
from slth.network import read_target as _read_target
from slth.records import cores, verbs
from slth.ticket import Ticket, check_text

__all__ = ["Reading", "check_construct", "construct", "discard", "promise_holds", "read_target"]

_log = logging.getLogger("slth.api")


def construct(
    target: Any = None,
    *,
    model: str | None = None,
    input_shape: Sequence[int] | None = None,
    example: Any = None,
    embeddings: str = "carried",
    layers_only: bool = False,
    tolerance: float | None = None,
    relative_tolerance: float | None = None,
    epsilon: float | None = None,
    exact: bool = False,
    carry_rest: bool = False,
    gadget: str = "two-layer",
    objective: str | None = None,
    density: float | None = None,
    most_move: float | None = None,
    law: str = "uniform",
    centred: bool = False,
    group_size: int | None = None,
    lift: str | None = None,
    calibration: Any = None,
    failure_probability: float = 0.01,
    candidates: int | None = None,
    seed: int = 0,
    retries: int = 0,
    source: Ticket | str | Path | None = None,
    input_range: InputRange | None = None,
    raw_range: InputRange | None = None,
    data: str | Path | None = None,
    data_dir: str | Path | None = None,
    mean: Numbers | None = None,
    std: Numbers | None = None,
    order: Sequence[str] | None = None,
    activation: str | None = None,
    from_node: str | None = None,
    to_node: str | None = None,
    threads: int | None = None,
    backend: str = "local",
    resume: str | Path | None = None,
    restart: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Ticket:
    """Turn a trained network into a strong lottery ticket: a seed, a mask and a certificate.

    Args:
        target: any `nn.Module` of dense and convolutional layers and of attention, read as it computes in evaluation
            mode; a folder of a model of the transformers library; a state dict, or a path to one (`.safetensors`,
            `.pt`, `.npz`), read as a plain MLP; an `.onnx` file; a scikit-learn MLP.
        model: code that gives the module, `package.module:function` or `net.py:function`, and is run; a file given as
            `target` is then loaded into it.
        input_shape: of one input of a module, such as (3, 32, 32), where its first layer does not tell.
        example: instead, a batch of inputs, or one input, or a file of it (`.npy`, `.npz`); whole numbers are tokens.
        embeddings: of tokens, whose table no head shares: "carried" as they are, and counted, or "ticketed": maps of
            their own, of plain random numbers without a lift.
        layers_only: the layers of a module whose graph cannot be read (control flow that depends on data, autograd of
            its own): each Linear, Conv and ConvTranspose, and GPT-2's Conv1D, becomes a map by itself, the rest of the
            state is carried. Coefficients are claimed, outputs are not. `slth.apply(ticket, model)` loads it.
        tolerance: the largest error of one weight, in the unit of the weights; 1e-4 unless another promise is given.
        relative_tolerance: instead, the same in gains of each map: powers of two, 1.5 to 3 times its largest weight.
        epsilon: instead, the largest certified error of any output on the input range; tolerances follow from it.
        exact: instead, the network itself in its own number format, float32, bfloat16, float16, or int8 with scales:
            `export` then gives its tensors back, bit for bit. Normalisations are carried as they are.
        carry_rest: with `exact`, numbers that no subset reaches are carried, and counted, rather than listed.
        gadget: which random numbers may be added up for a weight: "two-layer" (Pensia et al., 2020); "neurons", kept or
            removed whole (da Cunha et al., 2023), each of which serves a group of `group_size` outputs, 2 unless given;
            "merged" projections of attention without a further layer (Otsuka et al., 2025).
        objective: which subset is taken: "within" the tolerance, the first found; "fewest" numbers; "exactly" the share
            `density` of the candidates of every weight (Natale et al., 2024); "closest"; "moved", where each kept
            number may move by at most `most_move` (Xiong et al., 2023).
        law: of the random numbers: "uniform", "normal/20", "grid/K", "hyperbolic/B", "pruned/P" (a source of which a
            part is pruned beforehand), "mixture/P/OTHER"; see `slth.numerics.laws`.
        centred: mirrored pairs of uniform numbers, of which exactly one is kept: another source, half the mask bits.
        lift: of the gadget "two-layer", "relu" or "linear": without a ReLU a weight is one subset sum whatever the sign
            of its input, not two, and the map becomes two linear layers behind each other. None: linear for maps of
            which some input can be negative, relu for the others.
        calibration: data, by name, as an `.npz`, or an array (count, ...) as it enters the network: the error of a
            weight is made up for in those that are not solved yet, so that outputs on such data are closest (Frantar et
            al., 2023). Weights are then further from the target's; by how much, the ticket claims as its tolerance.
        failure_probability: the network gets so wide that at most this many weights are expected to miss.
        candidates: random candidates per weight and half, of each stage, 1 to 64; None: planned, see
            `failure_probability`.
        seed: names the random network.
        retries: further attempts while weights miss, each of the whole network: wider if the width is planned, with
            the next seed if `candidates` are given. The ticket names its seed and counts attempts.
        source: a ticket whose random network is to be used: same seed, same width, another mask.
        input_range: (lower, upper) of the network's inputs. It decides whether inputs can be negative, and the box of
            the certificate. None: any input, no bound over a domain. Each end, as mean and std: one number, one per
            channel, or an array of one input's shape.
        raw_range: instead, (lower, upper) of the data before (x − mean) / std; converted, and rounded outward.
        data: instead, a data set that states the range: a name or an `.npz`; `data_dir`: the folder of image sets.
        mean, std: raw data becomes (x − mean) / std before the network, numbers as for a range; recorded, for
            `evaluate`, and applied to `raw_range` and to the range of `data`. None: as a file that `slth` wrote says.
        order, activation: what a state dict does not say; see `slth.network.read_target`.
        from_node, to_node: of an ONNX file, the node or value to begin or to end at; recorded.
        threads: None uses the processors of this process. The ticket has the same bytes for any number.
        backend: "ray": workers of the Ray cluster at RAY_ADDRESS, `threads` of them or as many as it has processors;
            without an address one is started here for as long as this takes. It listens on all network interfaces.
        resume: a folder, such as "net.slth.part", that keeps finished maps while this runs: after an interrupt the
            same call goes on from there, to the same bytes. It stays; remove it when the ticket is saved. Nothing is
            kept of networks that are solved in about a second. None: nothing is kept.
        restart: discard what the folder holds, which may be of another request.
        progress: called with (problems solved, problems in all).

    Returns:
        The ticket. Weights that missed the tolerance are counted in `ticket.misses`, never hidden. With `epsilon`
        its certificate meets it, misses or not.

    Raises:
        InputError: one sentence on what was expected, what arrived, what to try; also if `epsilon` is out of reach,
            or the folder is of another request, not one of slth, in use, or on a full disk.

    >>> import numpy as np, slth
    >>> ticket = slth.construct({"weight": np.array([[0.5, -0.25]])}, input_range=(0, 1), tolerance=0.01)
    >>> ticket.misses, slth.verify(ticket, target={"weight": np.array([[0.5, -0.25]])}).holds
    (0, True)
    """
    verbs.check_layers_only(dict(locals()))
    asked = verbs.Construct(
        embeddings=embeddings,
        layers_only=layers_only,
        tolerance=tolerance,
        relative_tolerance=relative_tolerance,
        epsilon=epsilon,
        exact=exact,
        carry_rest=carry_rest,
        gadget=gadget,
        objective=objective,
        density=density,
        most_move=most_move,
        law=law,
        centred=centred,
        group_size=group_size,
        lift=lift,
        failure_probability=failure_probability,
        candidates=candidates,
        seed=seed,
        retries=retries,
        threads=threads,
        backend=backend,
        restart=restart,
    )
    folder = None if resume is None else _arguments.path("resume", resume)
    reused = None if source is None else ticket_of(source)
    request = Request(**verbs.group(asked, "plan"), source=reused)
    network = read_target(
        target,
        model=model,
        input_shape=input_shape,
        example=example,
        embeddings=asked.embeddings,
        order=order,
        activation=activation,
        from_node=from_node,
        to_node=to_node,
        exact=asked.exact,
        layers_only=asked.layers_only,
    )
    _check_names(network)
    inputs = inputs_for(
        network,
        target,
        cut=from_node is not None,
        input_range=input_range,
        raw_range=raw_range,
        data=data,
        data_dir=data_dir,
        mean=mean,
        std=std,
    )
    alike = None if calibration is None else calibration_of(inputs, calibration, data_dir)
    with (
        keep_parts(folder, lambda: question(network, request, inputs, alike), restart=asked.restart) as parts,
        workers(asked.backend, asked.threads) as count,
    ):
        return _construct(
            network,
            request,
            inputs=inputs,
            threads=count,
            backend=asked.backend,
            progress=progress,
            parts=parts,
            calibration=alike,
        )


@contextmanager
def workers(backend: str, threads: int | None) -> Generator[int]:
    """How many there are of a backend; a cluster is connected meanwhile."""
    if backend == "local":
        yield threads or cores()
        return
    from slth._cluster import connected

    with connected(threads or cores()) as place:
        yield threads or place.cpus


def check_construct(asked: verbs.Construct) -> None:
    """Refuse what `construct` would refuse before it looks at a target: names, and numbers that go with them."""
    Request(**verbs.group(asked, "plan"))


def _check_names(network: Target) -> None:
    """A ticket can hold what the network's parts are called; before anything is solved."""
    tensors = (name for pair in network.names.values() for name in pair if name is not None)
    steps = (step for folded in network.folded.values() for step in folded)
    for what, names in (
        ("tensor", tensors),
        ("tensor", network.tensors),
        ("step", (node.name for node in network.graph.nodes)),
        ("step", steps),
        ("node", network.cut.values()),
    ):
        for name in names:
            check_text(name, f"the name of a {what}", 1000)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file does not say of a network, and which part of it is meant; see `construct`."""

    order: Sequence[str] | None = None
    activation: str | None = None
    from_node: str | None = None
    to_node: str | None = None


def read_target(
    target: Any,
    *,
    model: str | None = None,
    input_shape: Sequence[int] | None = None,
    example: Any = None,
    embeddings: str = "carried",
    order: Sequence[str] | None = None,
    activation: str | None = None,
    from_node: str | None = None,
    to_node: str | None = None,
    exact: bool = False,
    layers_only: bool = False,
) -> Target:
    """A trained network from whatever holds it; what had to be assumed is a warning in the log."""
    example = read_array(example) if isinstance(example, str | Path) else example
    if target is None and model is None:
        raise InputError("a network is needed: a target, or a model, package.module:function, that gives it")
    read, held = target, None
    if model is not None:
        if target is not None and not isinstance(target, str | Path):
            raise InputError("with a model the target is a file of its state dict; got an object: give one of them")
        if target is not None and is_onnx(target):
            raise InputError(f"{target} is a network by itself: give it without a model, or a state dict for the model")
        from slth.network import load_model

        _log.info("running %s", model)
        read = load_model(model, target)
        held = read_held(Path(target)) if exact and target is not None else None
    if layers_only:
        return _layers_of(read)
    network = _read_target(
        read,
        input_shape=input_shape,
        example=example,
        embeddings=embeddings,
        order=order,
        activation=activation,
        from_node=from_node,
        to_node=to_node,
        exact=exact,
        held=held,
    )
    if network is not target:
        for sentence in network.assumed:
            _log.warning("assumed: %s", sentence)
    return network


def _layers_of(source: Any) -> Target:
    """The layers of a module, whose names in the state are those of its tensors."""
    if isinstance(source, Target):
        if source.graph.joined:
            raise InputError("this target was read with its graph; read it with --layers-only, or leave that out")
        return source
    if is_model_folder(source):
        from slth.network import load_folder

        source = load_folder(Path(source))
    torch = sys.modules.get("torch")  # who has a module has loaded it
    if torch is None or not isinstance(source, torch.nn.Module):
        raise InputError(
            "--layers-only takes the layers of a module, and a file does not say what is a layer: give --model "
            "net.py:function, with the file as its state dict"
        )
    from slth.network import read_layers

    return read_layers(source)
