"""Arguments that several verbs have: type, kind and help in one."""

from pathlib import Path
from typing import Annotated, Any

from slth import _arguments
from slth.records.verbs._argument import Argument
from slth.records.verbs._kinds import (
    DATA,
    FILE,
    NAMES,
    NUMBERS,
    PAIR,
    TEXT,
    TRUTH,
    WEIGHT,
    WHOLES,
    WeightAt,
    one_of,
    real,
    whole,
)

DATA_SETS = ("digits", "mnist", "fashion_mnist", "cifar10")
DATA_HELP = f"{', '.join(DATA_SETS)}, or an .npz with x and y."

Ticket = Annotated[Path, Argument(FILE, "The ticket.", positional=True, metavar="T.slth")]
Target = Annotated[
    Path | None,
    Argument(
        FILE, "The network the ticket stands for: .onnx, .safetensors, .pt, .npz or the folder of a Hugging Face model."
    ),
]
Model = Annotated[
    str | None,
    Argument(TEXT, "The network as code, which is run: package.module:function or net.py:function.", metavar="M"),
]
InputShape = Annotated[
    tuple[int, ...] | None,
    Argument(WHOLES, "Shape of one input, such as 3,32,32 or 128 tokens, if the network does not tell."),
]
Example = Annotated[
    Path | None,
    Argument(
        FILE,
        "Instead: a file of inputs, .npy, .npz or .safetensors; whole numbers are tokens.",
        asked=False,
        group="target",
    ),
]
EMBEDDINGS = ("carried", "ticketed")
Embeddings = Annotated[
    str,
    Argument(
        one_of(*EMBEDDINGS),
        "Tables of tokens that no head shares: {known}; ticketed ones are maps of plain random numbers.",
        swept=True,
    ),
]
Order = Annotated[
    tuple[str, ...] | None,
    Argument(NAMES, "Layer names from input to output: a,b,c, if the file does not tell.", asked=False, group="target"),
]
Activation = Annotated[
    str | None,
    Argument(
        one_of("relu", "tanh", "sigmoid", "gelu", "silu", "mish", "hardswish", "identity"),
        "Between the layers of a file that does not tell: {known}.",
        unsaid="relu",
        asked=False,
        group="target",
    ),
]

FromNode = Annotated[
    str | None,
    Argument(
        TEXT,
        "Of an ONNX file: begin at this node, or at a value by its name; what it reads becomes the input.",
        flag="--from",
        metavar="NODE",
        asked=False,
        group="target",
    ),
]
ToNode = Annotated[
    str | None,
    Argument(
        TEXT,
        "Of an ONNX file: end at this node, or at a value or an output by its name.",
        flag="--to",
        metavar="NODE",
        asked=False,
        group="target",
    ),
]

LayersOnly = Annotated[
    bool,
    Argument(
        TRUTH,
        "Of a model whose graph cannot be read: its layers become maps by themselves; of outputs nothing is claimed.",
    ),
]

Tolerance = Annotated[
    float | None,
    Argument(
        real("0.01", above=0),
        "Largest error of one weight. Default: 1e-4.",
        provenance=True,
        swept=True,
        group="plan",
    ),
]
RelativeTolerance = Annotated[
    float | None,
    Argument(
        real("0.002", above=0, below=1),
        "Instead: the same in gains of each map; a gain is a power of two, 1.5 to 3 times its largest weight.",
        provenance=True,
        swept=True,
        group="plan",
    ),
]
Epsilon = Annotated[
    float | None,
    Argument(
        real("0.01", above=0),
        "Instead: largest certified error of any output on the input range.",
        provenance=True,
        swept=True,
        group="plan",
    ),
]
Candidates = Annotated[
    int | None,
    Argument(
        whole("30", least=1, most=1 << 16),
        "Random candidates per weight, 1 to 64; of single, single-plain and counts up to 65,536. Default: planned.",
        provenance=True,
        swept=True,
        group="plan",
    ),
]
FailureProbability = Annotated[
    float,
    Argument(
        real("0.01", above=0, below=1),
        "Plan the width so that at most this many weights miss.",
        provenance=True,
        swept=True,
        group="plan",
    ),
]

Exact = Annotated[
    bool,
    Argument(TRUTH, "Instead: the target itself, in its own number format, bit for bit.", swept=True, group="plan"),
]
GADGETS = (
    "two-layer",
    "merged",
    "copies",
    "neurons",
    "single",
    "single-plain",
    "plain",
    "counts",
    "doubling",
    "grid",
)
Gadget = Annotated[
    str,
    Argument(one_of(*GADGETS), "Which random numbers may be added up for a weight: {known}.", swept=True, group="plan"),
]
OBJECTIVES = ("within", "fewest", "exactly", "closest", "moved")
Objective = Annotated[
    str | None,
    Argument(
        one_of(*OBJECTIVES),
        "Which subset of them is taken: {known}. Default: within; with copies fewest.",
        swept=True,
        group="plan",
    ),
]
KeptShare = Annotated[
    float | None,
    Argument(
        real("0.2", above=0, below=1),
        "With --objective exactly: the kept share of the candidates of every weight.",
        swept=True,
        group="plan",
    ),
]
MostMove = Annotated[
    float | None,
    Argument(
        real("0.01", above=0),
        "With --objective moved: how far a kept random number may move.",
        swept=True,
        group="plan",
    ),
]
Law = Annotated[
    str,
    Argument(
        TEXT,
        "Law of the random numbers: uniform, normal/20, grid/K, hyperbolic/B, pruned/P, mixture/P/OTHER.",
        metavar="NAME",
        swept=True,
        group="plan",
    ),
]
Centred = Annotated[
    bool,
    Argument(
        TRUTH, "Random numbers in mirrored pairs, of which one is kept: another source.", swept=True, group="plan"
    ),
]
LIFTS = ("relu", "linear")
Lift = Annotated[
    str | None,
    Argument(
        one_of(*LIFTS),
        "Of the gadget two-layer: {known}; linear is one more linear layer. Default: linear where inputs of a map can "
        "be negative.",
        swept=True,
        group="plan",
    ),
]
GroupSize = Annotated[
    int | None,
    Argument(
        whole("2", least=1),
        "With --gadget neurons: outputs that one neuron serves; more than 3 as an experiment. Default: 2.",
        swept=True,
        group="plan",
    ),
]

InputRange = Annotated[
    tuple[float, float] | None, Argument(PAIR, "Range of the network's inputs.", swept=True, group="target")
]
RawRange = Annotated[
    tuple[float, float] | None,
    Argument(PAIR, "Instead: range of the data before (x - mean) / std.", asked=False, swept=True, group="target"),
]
RangeData = Annotated[
    str | Path | None, Argument(DATA, "Take the input range from this data set.", asked=False, group="target")
]
DataDir = Annotated[
    Path | None, Argument(FILE, "Folder of the image data sets.", metavar="FOLDER", variable="SLTH_DATA", asked=False)
]
Mean = Annotated[
    tuple[float, ...] | None,
    Argument(NUMBERS, "Data becomes (x - mean) / std; one number, or one per channel.", swept=True, group="target"),
]
Std = Annotated[tuple[float, ...] | None, Argument(NUMBERS, "Goes with --mean.", swept=True, group="target")]

Threads = Annotated[
    int | None, Argument(whole(least=1), "Threads. Default: the processors of this process.", asked=False)
]
BACKENDS = ("local", "ray")
Backend = Annotated[
    str,
    Argument(
        one_of(*BACKENDS),
        "Where work is done: {known}; ray: the cluster of RAY_ADDRESS, or one started here, which listens on all "
        "network interfaces.",
        asked=False,
    ),
]
Weight = Annotated[
    WeightAt | None,
    Argument(WEIGHT, "Take one weight apart: map by path or number; IN may be `bias`; TAP of a kernel."),
]
Records = Annotated[
    Path | None,
    Argument(FILE, "Append the record to this JSON lines file.", command=True, written="records", asked=False),
]
Force = Annotated[
    bool,
    Argument(TRUTH, "Replace what is there, whatever it is.", command=True, asked=False),
]
Json = Annotated[bool, Argument(TRUTH, "Print JSON instead of the table.", flag="--json", command=True, asked=False)]
Quiet = Annotated[
    bool, Argument(TRUTH, "No progress and no notes, only the result.", short="-q", command=True, asked=False)
]
Verbose = Annotated[bool, Argument(TRUTH, "More notes on stderr.", short="-v", command=True, asked=False)]


def check_normalisation(asked: Any) -> None:
    """Mean and deviation go together."""
    _arguments.together(mean=asked.mean, std=asked.std)
