"""What can be asked of `search`.

The settings of a method, of its training and of its policy are those of the records in `slth.learning`, which load
PyTorch and say what each is and what it may be; here they are named once for the command line and for sweeps. None:
the method's own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from slth.records.verbs import _shared
from slth.records.verbs._argument import Argument, check
from slth.records.verbs._kinds import (
    DATA,
    DENSITIES,
    DENSITY,
    FILE,
    NAMES,
    NUMBERS,
    SETTINGS,
    TEXT,
    TRUTH,
    WHOLES,
    one_of,
    real,
    whole,
)

_METHODS = one_of("edge-popup", "biprop", "supermask", "magnitude", "perturbed-edge-popup")
_MODELS = one_of("mlp", "lenet_300_100", "lenet_5", "conv_2", "conv_4", "conv_6", "resnet_20", "resnet_18")
_OPTIMIZERS = one_of("sgd", "adam", "adamw")
_SCHEDULES = one_of("constant", "cosine", "multistep")
_PRECISIONS = one_of("32-true", "bf16-mixed", "16-mixed")
_LAWS = one_of("kaiming_normal", "kaiming_uniform", "signed_constant", "glorot_normal")
_BIASES = one_of("zero", "carry", "train")
_NORMS = one_of("plain", "carry", "train")
_WEIGHTS = one_of("random", "keep")
_ALLOCATIONS = one_of("uniform", "erk")
_ACCELERATORS = one_of("cpu", "cuda", "mps", "auto")

_training = partial(Argument, group="training", checked=False, swept=True)
_policy = partial(Argument, group="policy", checked=False, swept=True)
_architecture = partial(Argument, group="arguments", checked=False, swept=True)
_method = partial(Argument, group="options", checked=False, swept=True)
_set = partial(_method, flag="--set")  # of one method only: no flag of its own


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Learn which weights of a random network to keep; the ticket is a seed and a mask.

    The weights never move (magnitude and perturbed-edge-popup apart, whose tickets say what moved).
    """

    data: Annotated[str | Path | None, Argument(DATA, _shared.DATA_HELP, unsaid="digits", swept=True)] = None
    model: Annotated[str | None, Argument(_MODELS, "{known}. Default: mlp.", swept=True)] = None
    method: Annotated[str | None, Argument(_METHODS, "{known}.", unsaid="edge-popup", swept=True)] = None
    density: Annotated[
        float | tuple[float, ...] | None,
        _method(DENSITY, "Kept fraction, in (0, 1]; exact. perturbed-edge-popup chooses among several: 0.9,0.5,0.1."),
    ] = None
    most_move: Annotated[float | None, _method(real(), "Largest move of a weight (perturbed-edge-popup).")] = None
    setting: Annotated[
        Mapping[str, Any] | None,
        Argument(SETTINGS, "Any other setting of the method.", flag="--set", command=True, asked=False),
    ] = None
    preset: Annotated[
        str | None,
        Argument(TEXT, "Published settings, such as edge-popup/cifar10-conv_4; --list has all.", asked=False),
    ] = None
    listed: Annotated[
        bool,
        Argument(TRUTH, "Name methods, models and presets; search nothing.", flag="--list", command=True, asked=False),
    ] = False
    out: Annotated[
        Path | None,
        Argument(FILE, "The ticket to write. Default: ticket.slth.", command=True, written="ticket", asked=False),
    ] = None

    epochs: Annotated[float | None, _training(real(), "Passes over the training data, of each stage.")] = None
    batch: Annotated[int | None, _training(whole(), "Examples per step.")] = None
    lr: Annotated[float | None, _training(real(), "Highest learning rate.")] = None
    optimizer: Annotated[str | None, _training(_OPTIMIZERS, "{known}.")] = None
    schedule: Annotated[str | None, _training(_SCHEDULES, "{known}.")] = None
    milestones: Annotated[tuple[float, ...] | None, _training(NUMBERS, "Epochs at which multistep steps.")] = None
    factor: Annotated[float | None, _training(real(), "Of the learning rate, at each milestone.")] = None
    momentum: Annotated[float | None, _training(real(), "Of SGD.")] = None
    weight_decay: Annotated[float | None, _training(real(), "Of what trains.")] = None
    warmup: Annotated[float | None, _training(real(), "Epochs of linear rise.")] = None
    label_smoothing: Annotated[float | None, _training(real(), "Of the cross entropy.")] = None
    accumulate: Annotated[int | None, _training(whole(), "Parts that a batch is cut into.")] = None
    precision: Annotated[str | None, _training(_PRECISIONS, "{known}.")] = None

    law: Annotated[str | None, _policy(_LAWS, "{known}.")] = None
    gain: Annotated[float | None, _policy(real(), "Random weights x this.")] = None
    biases: Annotated[str | None, _policy(_BIASES, "{known}.")] = None
    norms: Annotated[str | None, _policy(_NORMS, "{known}.")] = None
    first: Annotated[float | None, _policy(real(), "Density of the first layer.")] = None
    last: Annotated[float | None, _policy(real(), "Density of the last layer.")] = None
    scaled: Annotated[bool | None, _policy(TRUTH, "Weights x sqrt(1/density).")] = None
    densities: Annotated[
        tuple[tuple[str, float], ...] | None, _policy(DENSITIES, "Of layers by name: fc*=0.1,*=0.5.", swept=False)
    ] = None
    allocation: Annotated[str | None, _policy(_ALLOCATIONS, "{known}: how the density is shared out.")] = None
    skip: Annotated[tuple[str, ...] | None, _policy(NAMES, "Layers left as they are: fc*,*.head.", swept=False)] = None
    include: Annotated[tuple[str, ...] | None, _policy(NAMES, "Masked by name: *.in_proj_weight.", swept=False)] = None
    weights: Annotated[str | None, _policy(_WEIGHTS, "{known}: the model's own.")] = None

    width: Annotated[float | None, _architecture(real(), "Width factor of the model.")] = None
    hidden: Annotated[tuple[int, ...] | None, _architecture(WHOLES, "Hidden widths of mlp, as in 300,100.")] = None
    augment: Annotated[bool | None, Argument(TRUTH, "Random crops and flips.", swept=True)] = None
    seed: Annotated[int, Argument(whole("30", least=0), "Names the random weights, scores and order.", swept=True)] = 0
    seeds: Annotated[
        int,
        Argument(whole(least=1), "How many seeds, from --seed on: mean and interval.", command=True, asked=False),
    ] = 1
    controls: Annotated[
        bool, Argument(TRUTH, "Random and shuffled mask, fresh weights, dense.", swept=True, asked=False)
    ] = False
    checkpoint: Annotated[
        Path | None,
        Argument(
            FILE,
            "Save the run here; resume from it if it exists. With --seeds: NAME-SEED.",
            written="checkpoint",
            asked=False,
        ),
    ] = None
    logs: Annotated[
        Path | None,
        Argument(
            FILE,
            "For history.csv and TensorBoard. With --seeds: NAME-SEED.",
            metavar="FOLDER",
            written="logs",
            asked=False,
        ),
    ] = None
    data_dir: _shared.DataDir = None
    devices: Annotated[int, Argument(whole(least=1), "Processes; more than one under torchrun.", asked=False)] = 1
    accelerator: Annotated[str, Argument(_ACCELERATORS, "{known}.", asked=False)] = "cpu"
    threads: Annotated[int, Argument(whole(least=1), "Threads of PyTorch.", command=True, asked=False)] = 1
    force: _shared.Force = False
    records: _shared.Records = None
    as_json: _shared.Json = False
    quiet: _shared.Quiet = False
    verbose: _shared.Verbose = False

    ramp: Annotated[float | None, _set(real(), "Of edge-popup.")] = None
    scope: Annotated[str | None, _set(one_of("layer", "global"), "Of edge-popup, magnitude.")] = None
    binary_activations: Annotated[bool | None, _set(TRUTH, "Of biprop.")] = None
    rescale: Annotated[bool | None, _set(TRUTH, "Of supermask.")] = None
    initial: Annotated[float | None, _set(real(), "Of supermask.")] = None
    final: Annotated[str | None, _set(one_of("draw", "threshold"), "Of supermask.")] = None
    rate: Annotated[float | None, _set(real(), "Of magnitude.")] = None
    last_rate: Annotated[float | None, _set(real(), "Of magnitude.")] = None
    rewind: Annotated[int | None, _set(whole(), "Of magnitude.")] = None
    criterion: Annotated[str | None, _set(TEXT, "Of magnitude.")] = None
    kept_weights: Annotated[str | None, _set(TEXT, "Of magnitude.")] = None
    pruned_weights: Annotated[str | None, _set(TEXT, "Of magnitude.")] = None
    retrain: Annotated[bool | None, _set(TRUTH, "Of magnitude.")] = None
    epochs_weights: Annotated[float | None, _set(real(), "Of perturbed-edge-popup.")] = None
    lr_weights: Annotated[float | None, _set(real(), "Of perturbed-edge-popup.")] = None
    momentum_weights: Annotated[float | None, _set(real(), "Of perturbed-edge-popup.")] = None
    schedule_weights: Annotated[str | None, _set(one_of("constant", "cosine"), "Of perturbed-edge-popup.")] = None

    def __post_init__(self) -> None:
        check(self)
