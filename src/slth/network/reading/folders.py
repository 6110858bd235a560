"""Folders of the transformers library: config.json and weights, as `save_pretrained` writes them.

The architecture is the class that config.json names, from the library as it is installed; code that comes with a folder
is never run, and nothing is fetched. Weights of half precision are read as float32, which holds them exactly.
"""

import json
import struct
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from slth._errors import InputError
from slth._extras import install
from slth.network.reading.checkpoints import Held, held_of
from slth.network.reading.configurations import CONFIG, architectures, config_of
from slth.network.reading.files import SAVED, parts_of
from slth.network.reading.quiet import quiet
from slth.network.reading.words import first_line, listed, shown

# Buffers of older versions, the end of a name from a dot on: c_attn.bias is none of them.
UNUSED = ("position_ids", "token_type_ids", "attn.bias", "masked_bias", "inv_freq")
_UNUSED_ENDS = tuple(f".{name}" for name in UNUSED)


def load_folder(path: Path) -> Any:
    """The module of a folder, in evaluation mode, with all of its weights.

    Raises:
        InputError: code of its own, an architecture that the library lacks, weights that are not there.
    """
    if config_of(path).get("auto_map"):
        raise InputError(
            f"{shown(path)} brings code of its own, which is not run (trust_remote_code stays off); build the model "
            "yourself and pass the module, or --model net.py:function with this folder"
        )
    names = architectures(path)
    _check_weights(path)
    transformers = _library()
    kinds: list[Any] = [getattr(transformers, name, None) for name in names]
    found = [kind for kind in kinds if _is_model(kind)]
    if not found:
        raise InputError(
            f"{shown(path)} is a {listed(names)}, which transformers {transformers.__version__} does not have as a "
            "model; install the version that wrote it, or pass the module"
        )
    import torch

    dtype = torch.float64 if "F64" in set(_formats(path)) else torch.float32
    try:
        with quiet():
            model, said = found[0].from_pretrained(
                str(path),
                local_files_only=True,
                trust_remote_code=False,
                dtype=dtype,
                output_loading_info=True,
                weights_only=True,
                ignore_mismatched_sizes=True,  # and told below, by name
            )
    except Exception as error:  # whatever the library raises
        raise InputError(f"cannot read the target {shown(path)}: {first_line(error)}") from error
    for name, held, wanted in said["mismatched_keys"]:
        raise InputError(
            f"{shown(path)} does not fit its {CONFIG}: {shown(name)} has shape {tuple(held)}, {type(model).__name__} "
            f"has {tuple(wanted)}"
        )
    parameters = {name for name, _ in model.named_parameters(remove_duplicate=False)}
    for what, names in (("lack", said["missing_keys"]), ("has no place for", said["unexpected_keys"])):
        names = sorted(name for name in names if name in parameters or not f".{name}".endswith(_UNUSED_ENDS))
        if names:
            whose = f"{type(model).__name__} " if what != "lack" else "its weights "
            raise InputError(f"{shown(path)} does not fit its {CONFIG}: {whose}{what} {listed(names)}")
    return model.eval()


def state_of_folder(path: Path) -> dict[str, Held]:
    """The tensors of a folder's model under its names, of tied ones the first.

    Raises:
        InputError: as `load_folder`.
    """
    model = load_folder(path)
    state, first = model.state_dict(keep_vars=True), dict[int, str]()
    for name, tensor in model.named_parameters(remove_duplicate=False):
        first.setdefault(id(tensor), name)
    own = {name: tensor.detach() for name, tensor in state.items() if first.get(id(tensor), name) == name}
    return {name: held_of(name, tensor) for name, tensor in own.items()}


def shape_of_config(model: Any) -> tuple[int, ...] | None:
    """The shape of one image, if a model of the library takes images and says their size."""
    config = getattr(model, "config", None)
    size = getattr(config, "image_size", None)
    if getattr(model, "main_input_name", None) != "pixel_values" or size is None:
        return None
    sides = tuple(size) if isinstance(size, (list, tuple)) else (size, size)
    return (int(getattr(config, "num_channels", 3)), *(int(side) for side in sides))


def _is_model(kind: Any) -> bool:
    """Whether it is a class of modules: a folder can name any class of the library."""
    from torch import nn

    return isinstance(kind, type) and issubclass(kind, nn.Module) and hasattr(kind, "from_pretrained")


def _library() -> Any:
    try:
        return import_module("transformers")  # by name: for a statement, the checker of types reads the whole library
    except ImportError as error:
        raise InputError(
            f"reading a folder of a Hugging Face model needs the transformers library: {install('hf')}"
        ) from error


def _check_weights(path: Path) -> None:
    """There are weights, and all the files that an index names."""
    for name in SAVED:
        if (path / name).is_file():
            return
        index = path / f"{name}.index.json"
        if index.is_file():
            missing = [part for part in parts_of(index) if not (path / part).is_file()]
            if missing:
                raise InputError(
                    f"cannot read the target {shown(path)}: its index names {listed(missing)}: no such file"
                )
            return
    raise InputError(
        f"cannot read the target {shown(path)}: it is a model folder without weights; expected {' or '.join(SAVED)} "
        f"beside {CONFIG}, or the parts that {SAVED[0]}.index.json names"
    )


def _formats(path: Path) -> Iterator[str]:
    """The number formats in the headers of all safetensors files."""
    for file in sorted(path.glob("*.safetensors")):
        try:
            with open(file, "rb") as opened:
                (length,) = struct.unpack("<Q", opened.read(8))
                header = json.loads(opened.read(min(length, 1 << 28)))
        except (OSError, ValueError, struct.error):
            continue  # the library says what is wrong with it
        yield from (entry["dtype"] for name, entry in header.items() if name != "__metadata__")
