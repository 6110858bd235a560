"""What can be asked of `train`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from slth.records.verbs import _shared
from slth.records.verbs._argument import Argument, check
from slth.records.verbs._kinds import DATA, FILE, TRUTH, WHOLES, whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Train:
    """Train a ReLU network to make tickets of: SGD 0.1, momentum 0.9, weight decay 5e-4, batch 64, cosine rate."""

    out: Annotated[Path, Argument(FILE, "The state dict to write: .safetensors.", written="network", asked=False)]
    data: Annotated[str | Path, Argument(DATA, _shared.DATA_HELP, swept=True)] = "digits"
    hidden: Annotated[tuple[int, ...], Argument(WHOLES, "Widths of the hidden layers, as in 300,100.", swept=True)] = (
        64,
    )
    bias: Annotated[bool, Argument(TRUTH, "Layers with biases.", swept=True)] = True
    epochs: Annotated[int, Argument(whole("10", least=1), "Passes over the training data.", swept=True)] = 10
    seed: Annotated[int, Argument(whole("30", least=0), "Initial weights and order of the data.", swept=True)] = 0
    data_dir: _shared.DataDir = None
    mean: _shared.Mean = None
    std: _shared.Std = None
    force: _shared.Force = False
    quiet: _shared.Quiet = False

    def __post_init__(self) -> None:
        check(self)
        _shared.check_normalisation(self)
