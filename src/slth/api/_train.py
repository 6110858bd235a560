"""Small networks to make tickets of."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from slth import _arguments
from slth._errors import InputError
from slth._extras import install
from slth._files import check_writable, write_atomically
from slth.api._inputs import Numbers, standardisation
from slth.network import KEY, Stated, without_range
from slth.records import verbs

_MOST_THREADS = 1024


def train(
    data: str | Path = "digits",
    *,
    out: str | Path | None = None,
    hidden: Sequence[int] = (64,),
    bias: bool = True,
    epochs: int = 10,
    seed: int = 0,
    data_dir: str | Path | None = None,
    mean: Numbers | None = None,
    std: Numbers | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, np.ndarray]:
    """Train a ReLU MLP on a named data set: the state dict of an `nn.Sequential`, float32. Needs PyTorch.

    `out`: also write it there, as `.safetensors`. `progress` is called after each epoch with (epochs done, epochs).
    `mean`, `std`: the network takes (x − mean) / std, one number, one per channel or an array of one input's shape.
    SGD 0.1, momentum 0.9, weight decay 5e-4, batch 64, cosine rate: the settings of Pensia et al. (2020).
    """
    place = Path("target.safetensors" if out is None else out)
    widths = verbs.read(verbs.Train, "hidden", hidden)
    asked = verbs.Train(out=place, data=data, hidden=widths, bias=bias, epochs=epochs, seed=seed)
    if out is not None:
        verbs.check_apart(verbs.Train, data=data, out=place)
        check_tensors_name(place, "write")
    _arguments.together(mean=mean, std=std)
    from slth.data import load
    from slth.network import train_mlp

    loaded = load(data, data_dir=data_dir, shape=(-1,))
    inputs = loaded.inputs(*standardisation(mean, std, loaded.shape))
    assert loaded.train_y is not None  # labels were asked for

    def report(epoch: int, _loss: float) -> None:
        if progress is not None:
            progress(epoch, asked.epochs)

    tensors = train_mlp(
        inputs.normalised(loaded.train_x),
        loaded.train_y,
        [inputs.size, *asked.hidden, loaded.classes],
        bias=asked.bias,
        epochs=asked.epochs,
        seed=asked.seed,
        progress=report,
    )
    if out is not None:
        layers = dict.fromkeys(name.rpartition(".")[0] for name in tensors)
        write_tensors(place, tensors, Stated("mlp", tuple(layers), "relu", without_range(inputs)))
    return tensors


def use_threads(count: int) -> None:
    """Threads of PyTorch, of this whole process.

    Small networks train best on one: on a machine that is busy, two can be tens of times slower. It also gives the
    same numbers again.
    """
    try:
        import torch
    except ImportError as error:
        raise InputError(f"training needs PyTorch: {install('nn')}") from error
    if count > _MOST_THREADS:
        raise InputError(f"{count:,} threads are more than PyTorch can start; give fewer with --threads")
    torch.set_num_threads(count)


def check_tensors_name(out: str | Path, what: str) -> None:
    """Refuse early a place or a format that cannot be written."""
    if Path(out).suffix != ".safetensors":
        raise InputError(f"cannot {what} {Path(out).name!r}: expected the suffix .safetensors")
    check_writable(out)


def write_tensors(out: str | Path, tensors: dict[str, np.ndarray], said: Stated) -> None:
    """Write a state dict as a safetensors file that says what is known of its network."""
    from safetensors.numpy import save

    write_atomically(out, save(tensors, {KEY: said.text}))
