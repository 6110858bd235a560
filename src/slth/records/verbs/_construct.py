"""What can be asked of `construct` and of `plan`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from slth import _arguments
from slth._errors import InputError
from slth.records.verbs import _shared
from slth.records.verbs._argument import Argument, check
from slth.records.verbs._kinds import DATA, FILE, SHAPE, TRUTH, whole

DEFAULT_TARGET: Mapping[str, Any] = {"data": "digits", "epochs": 30}  # what is trained where no target is given


@dataclass(frozen=True, slots=True, kw_only=True)
class Construct:
    """Turn a trained network into a ticket: a seed, a mask and a certificate.

    With no TARGET: trains one on the embedded digits, constructs, verifies and evaluates.

    Exit code 1 if some weight missed the tolerance asked for: the ticket is written, the misses are listed.

    With --epsilon: 0 if the certificate meets it, whatever weights missed; 2, and no ticket, if it does not.

    Interrupted: finished maps are kept in the folder OUT.part, and the same command goes on from there.
    """

    target: Annotated[
        Path | None,
        Argument(
            FILE,
            "Trained network: .onnx, .safetensors, .pt, .npz or the folder of a Hugging Face model. Default: an MLP "
            "trained now on the embedded digits.",
            positional=True,
            metavar="TARGET",
            swept=True,
        ),
    ] = None
    model: _shared.Model = None
    input_shape: _shared.InputShape = None
    example: _shared.Example = None
    embeddings: _shared.Embeddings = "carried"
    layers_only: _shared.LayersOnly = False
    out: Annotated[
        Path | None,
        Argument(
            FILE,
            "The ticket to write. Default: TARGET's name with .slth, here.",
            command=True,
            written="ticket",
            asked=False,
        ),
    ] = None
    tolerance: _shared.Tolerance = None
    relative_tolerance: _shared.RelativeTolerance = None
    epsilon: _shared.Epsilon = None
    exact: _shared.Exact = False
    carry_rest: Annotated[
        bool,
        Argument(TRUTH, "With --exact: carry the numbers that no subset reaches, rather than list them.", group="plan"),
    ] = False
    gadget: _shared.Gadget = "two-layer"
    objective: _shared.Objective = None
    density: _shared.KeptShare = None
    most_move: _shared.MostMove = None
    law: _shared.Law = "uniform"
    centred: _shared.Centred = False
    group_size: _shared.GroupSize = None
    lift: _shared.Lift = None
    calibration: Annotated[
        str | Path | None,
        Argument(
            DATA,
            "Make up for the error of a weight in those not solved yet, so that outputs on this data are closest.",
            swept=True,
        ),
    ] = None
    failure_probability: _shared.FailureProbability = 0.01
    candidates: _shared.Candidates = None
    seed: Annotated[int, Argument(whole("30", least=0), "Names the random network.", swept=True, group="plan")] = 0
    retries: Annotated[
        int,
        Argument(
            whole("3", least=0),
            "Further attempts while weights miss, each of the whole network: "
            "wider, or with --candidates the next seed.",
            swept=True,
            group="plan",
        ),
    ] = 0
    source: Annotated[Path | None, Argument(FILE, "Use the random network of this ticket.", group="target")] = None
    input_range: _shared.InputRange = None
    raw_range: _shared.RawRange = None
    data: _shared.RangeData = None
    data_dir: _shared.DataDir = None
    mean: _shared.Mean = None
    std: _shared.Std = None
    order: _shared.Order = None
    activation: _shared.Activation = None
    from_node: _shared.FromNode = None
    to_node: _shared.ToNode = None
    threads: _shared.Threads = None
    backend: _shared.Backend = "local"
    restart: Annotated[bool, Argument(TRUTH, "Discard the finished maps in OUT.part, and start anew.", asked=False)] = (
        False
    )
    force: _shared.Force = False
    records: _shared.Records = None
    as_json: _shared.Json = False
    quiet: _shared.Quiet = False
    verbose: _shared.Verbose = False

    def __post_init__(self) -> None:
        check(self)
        _check_said_once(self)
        _arguments.one_of(self.backend, _shared.BACKENDS, "backend")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a network needs: width, misses to expect, file, time and memory; nothing is constructed.

    With --candidates: the misses to expect at that width. With --shape: of a network that need not exist.
    """

    target: Annotated[
        Path | None, Argument(FILE, "The trained network: .onnx, .safetensors, .pt, .npz or a model folder.")
    ] = None
    shape: Annotated[
        str | tuple[int, ...] | None,
        Argument(
            SHAPE,
            "No trained network: widths such as 784,500,10 with ReLU between them, or resnet-50, bert-base, "
            "bert-large, gpt-3.",
        ),
    ] = None
    model: _shared.Model = None
    input_shape: _shared.InputShape = None
    example: _shared.Example = None
    embeddings: _shared.Embeddings = "carried"
    layers_only: _shared.LayersOnly = False
    tolerance: _shared.Tolerance = None
    relative_tolerance: _shared.RelativeTolerance = None
    epsilon: _shared.Epsilon = None
    exact: _shared.Exact = False
    gadget: _shared.Gadget = "two-layer"
    objective: _shared.Objective = None
    density: _shared.KeptShare = None
    most_move: _shared.MostMove = None
    law: _shared.Law = "uniform"
    centred: _shared.Centred = False
    group_size: _shared.GroupSize = None
    lift: _shared.Lift = None
    failure_probability: _shared.FailureProbability = 0.01
    candidates: _shared.Candidates = None
    input_range: _shared.InputRange = None
    raw_range: _shared.RawRange = None
    data: _shared.RangeData = None
    data_dir: _shared.DataDir = None
    mean: _shared.Mean = None
    std: _shared.Std = None
    order: _shared.Order = None
    activation: _shared.Activation = None
    from_node: _shared.FromNode = None
    to_node: _shared.ToNode = None
    threads: _shared.Threads = None
    as_json: _shared.Json = False
    quiet: _shared.Quiet = False

    def __post_init__(self) -> None:
        check(self)
        _check_said_once(self)
        if self.shape is not None:
            _check_shape_alone(self)


_MANY = ("single", "single-plain", "counts")  # gadgets of which a weight keeps one of many candidates, or counts
_OF_ONE_WEIGHT = ("two-layer", "plain", "single-plain")  # gadgets of one weight, whatever the signs of the inputs
_OF_GRAPHS = (
    *("shape", "input_shape", "example", "epsilon", "exact", "calibration", "input_range", "raw_range", "data"),
    *("mean", "std", "order", "activation", "from_node", "to_node"),
)
NOT_WITH_A_SHAPE = (
    "target",
    "model",
    "input_shape",
    "example",
    "raw_range",
    "data",
    "mean",
    "order",
    "activation",
    "from_node",
    "to_node",
)


def _check_shape_alone(asked: Plan) -> None:
    """A shape says what a trained network, or a file beside it, would say."""
    for name in NOT_WITH_A_SHAPE:
        _arguments.apart("both describe the network", shape=asked.shape, **{name: getattr(asked, name)})
    if asked.exact:
        raise InputError(
            "an exact ticket needs the numbers of its target, which a shape does not have; give the target"
        )
    if asked.epsilon is not None:
        raise InputError(
            "an error of the whole network follows from its weights, which a shape does not have; "
            "ask for a tolerance or a relative tolerance"
        )


def check_one_promise(
    tolerance: float | None, relative_tolerance: float | None, epsilon: float | None, *, exact: bool = False
) -> None:
    """A tolerance of every weight, in the unit of the weights or in gains, an error of the network, or the target.

    Raises:
        InputError: more than one of them.
    """
    if tolerance is not None and epsilon is not None:
        raise InputError("ask for a tolerance of every weight or for an error of the network, one of the two")
    _arguments.apart(
        "both say how exact the ticket is",
        tolerance=tolerance,
        relative_tolerance=relative_tolerance,
        epsilon=epsilon,
        exact=exact or None,
    )


def check_objective(objective: str, density: float | None, most_move: float | None) -> None:
    """A name that is known, with the number that goes with it.

    Raises:
        InputError: another name, a number that goes with another objective, or none where one is needed.
    """
    _arguments.one_of(objective, _shared.OBJECTIVES, "objective")
    if (density is not None) != (objective == "exactly"):
        raise InputError("a density goes with the objective exactly, and that needs one, such as --density 0.2")
    if (most_move is not None) != (objective == "moved"):
        raise InputError("a largest move goes with the objective moved, and that needs one, such as --most-move 0.01")


def _check_recipe(asked: Construct | Plan) -> None:
    """Names that are known, numbers that go with them; before a target is read."""
    _arguments.one_of(asked.gadget, _shared.GADGETS, "gadget")
    _arguments.one_of(asked.embeddings, _shared.EMBEDDINGS, "embeddings")
    check_objective("within" if asked.objective is None else asked.objective, asked.density, asked.most_move)
    if asked.candidates is not None and asked.candidates > 64 and asked.gadget not in _MANY:
        raise InputError(f"candidates must be a whole number from 1 to 64 with the gadget {asked.gadget}")


def _check_said_once(asked: Construct | Plan) -> None:
    """One promise, one range of the inputs; before a target is read."""
    _check_recipe(asked)
    _shared.check_normalisation(asked)
    ranges = {"input_range": asked.input_range, "raw_range": asked.raw_range, "data": asked.data}
    _arguments.apart("both state the inputs", **ranges)
    check_one_promise(asked.tolerance, asked.relative_tolerance, asked.epsilon, exact=asked.exact)
    check_layers_only({name: getattr(asked, name, None) for name in ("layers_only", "lift", "gadget", *_OF_GRAPHS)})
    if isinstance(asked, Construct) and asked.carry_rest and not asked.exact:
        raise InputError("--carry-rest carries what an exact ticket does not reach; give it with --exact")


def check_layers_only(asked: Mapping[str, Any]) -> None:
    """What speaks of inputs, outputs or steps between layers says nothing of layers by themselves.

    Raises:
        InputError: naming what does, or a gadget that gives a weight two halves.
    """
    if not asked["layers_only"]:
        return
    for name in _OF_GRAPHS:
        given = asked.get(name)
        _arguments.apart(
            "speak of different things: of a layer by itself neither inputs nor outputs are known",
            layers_only=True,
            **{name: None if given is False else given},
        )
    if asked["lift"] == "relu" or asked["gadget"] not in _OF_ONE_WEIGHT:
        raise InputError(
            "a layer by itself has one weight for inputs of any sign: leave --lift relu out, and of the gadgets take "
            f"{', '.join(_OF_ONE_WEIGHT[:-1])} or {_OF_ONE_WEIGHT[-1]}"
        )
