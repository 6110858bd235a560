"""What can be asked about a ticket: `verify`, `evaluate`, `show`, `export`, `report`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from slth._errors import InputError
from slth.records.verbs import _shared
from slth.records.verbs._argument import Argument, check
from slth.records.verbs._kinds import DATA, FILE, FILES, TRUTH, WEIGHT, WeightAt, one_of, real, whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Verify:
    """Recheck a ticket; exit 0 only if everything that was checked holds."""

    ticket: _shared.Ticket
    target: _shared.Target = None
    model: _shared.Model = None
    order: _shared.Order = None
    activation: _shared.Activation = None
    from_node: _shared.FromNode = None
    to_node: _shared.ToNode = None
    threads: _shared.Threads = None
    require_all: Annotated[
        bool, Argument(TRUTH, "Exit code 1 also where a claim was not checked.", command=True, asked=False)
    ] = False
    as_json: _shared.Json = False
    quiet: _shared.Quiet = False

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluate:
    """Accuracy or error with confidence interval; with --target also distance, predictions changed and proved.

    Labels are held against the largest output, or the sign of a single one; real numbers by their error. With --target
    y may be missing, and the share of all predictions that change is said, of examples drawn as the data was.
    """

    ticket: _shared.Ticket
    data: Annotated[str | Path, Argument(DATA, _shared.DATA_HELP)]
    target: _shared.Target = None
    model: _shared.Model = None
    order: _shared.Order = None
    activation: _shared.Activation = None
    from_node: _shared.FromNode = None
    to_node: _shared.ToNode = None
    data_dir: _shared.DataDir = None
    mean: _shared.Mean = None
    std: _shared.Std = None
    confidence: Annotated[
        float,
        Argument(real("0.99", above=0, below=1), "Of the share of all predictions that change, said with --target."),
    ] = 0.99
    out: Annotated[
        Path | None,
        Argument(
            FILE, "Write the ticket here with that share among its claims.", command=True, written="ticket", asked=False
        ),
    ] = None
    force: _shared.Force = False
    records: _shared.Records = None
    as_json: _shared.Json = False

    def __post_init__(self) -> None:
        check(self)
        _shared.check_normalisation(self)
        if self.out is not None and self.target is None and self.model is None:
            raise InputError("--out writes the ticket with a claim about its target; give --target F, too")


@dataclass(frozen=True, slots=True, kw_only=True)
class Compare:
    """Tickets of one target beside quantisers of its weights: bits a weight, error, and with --data accuracy.

    Beside each ticket: its masks as plain bits, a uniform quantiser with an entropy coder that is as exact, a bound.
    """

    tickets: Annotated[tuple[Path, ...], Argument(FILES, "The tickets.", positional=True, metavar="T.slth...")]
    target: _shared.Target = None
    model: _shared.Model = None
    order: _shared.Order = None
    activation: _shared.Activation = None
    from_node: _shared.FromNode = None
    to_node: _shared.ToNode = None
    data: Annotated[str | Path | None, Argument(DATA, f"Compare on {_shared.DATA_HELP}")] = None
    data_dir: _shared.DataDir = None
    mean: _shared.Mean = None
    std: _shared.Std = None
    out: Annotated[
        Path | None,
        Argument(FILE, "Draw bits against error into this .svg, .png or .pdf.", written="picture", asked=False),
    ] = None
    force: _shared.Force = False
    as_json: _shared.Json = False
    quiet: _shared.Quiet = False

    def __post_init__(self) -> None:
        check(self)
        _shared.check_normalisation(self)
        if self.target is None and self.model is None:
            raise InputError("a comparison needs the network that the tickets stand for: give --target F, or --model M")


@dataclass(frozen=True, slots=True, kw_only=True)
class Show:
    """What is inside a ticket, and what it takes; with --weight one weight, its candidates and their sum."""

    ticket: _shared.Ticket
    weight: _shared.Weight = None
    target: _shared.Target = None
    model: _shared.Model = None
    order: _shared.Order = None
    activation: _shared.Activation = None
    from_node: _shared.FromNode = None
    to_node: _shared.ToNode = None
    picture: Annotated[
        Path | None, Argument(FILE, "Draw the weight into this .svg, .png or .pdf.", written="picture", asked=False)
    ] = None
    force: _shared.Force = False
    as_json: _shared.Json = False

    def __post_init__(self) -> None:
        check(self)
        if self.as_json and self.weight is not None:
            raise InputError("--json says what is inside a ticket, --weight takes one weight apart; give one of them")


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """Write the network that a ticket stands for as a plain state dict, or as ONNX.

    With --difference and --target: target minus ticket as one ONNX network, and beside it, with the suffix .vnnlib,
    what a verifier is asked about it: can it be as large as the bound that the ticket claims?
    """

    ticket: _shared.Ticket
    out: Annotated[
        Path,
        Argument(
            FILE,
            "File to write; the suffix says the format: .safetensors or .onnx. With --target a Hugging Face folder: a "
            "folder.",
            written="network",
            asked=False,
        ),
    ]
    view: Annotated[
        str, Argument(one_of("realised", "source"), "realised: the target's shape; source: the random network.")
    ] = "realised"
    difference: Annotated[
        bool, Argument(TRUTH, "Write target minus ticket as ONNX, and the claimed bound as a .vnnlib beside it.")
    ] = False
    vnnlib: Annotated[int, Argument(whole("1", least=1, most=2), "Version of VNN-LIB, 1 or 2, for the bound.")] = 1
    target: _shared.Target = None
    model: _shared.Model = None
    order: _shared.Order = None
    activation: _shared.Activation = None
    from_node: _shared.FromNode = None
    to_node: _shared.ToNode = None
    force: _shared.Force = False

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One self-contained page about tickets, records and sweeps; with --target and --data it compares and measures.

    Of a learned ticket the record of its search, from search --records, gives the curve of its training.
    """

    files: Annotated[
        tuple[Path, ...],
        Argument(FILES, "Tickets, records in JSON lines, folders of sweeps.", positional=True, metavar="FILES"),
    ]
    out: Annotated[Path, Argument(FILE, "The page to write: .html.", written="page", asked=False)]
    target: _shared.Target = None
    model: _shared.Model = None
    order: _shared.Order = None
    activation: _shared.Activation = None
    from_node: _shared.FromNode = None
    to_node: _shared.ToNode = None
    data: Annotated[str | Path | None, Argument(DATA, f"Evaluate on {_shared.DATA_HELP}")] = None
    data_dir: _shared.DataDir = None
    mean: _shared.Mean = None
    std: _shared.Std = None
    weight: Annotated[WeightAt | None, Argument(WEIGHT, "The weight to take apart, as for show.")] = None
    confidence: Annotated[
        float,
        Argument(real("0.99", above=0, below=1), "Of the share of all predictions that change, said with --target."),
    ] = 0.99
    force: _shared.Force = False
    quiet: _shared.Quiet = False

    def __post_init__(self) -> None:
        check(self)
        _shared.check_normalisation(self)
