"""A ticket of a Hugging Face model as a folder that `from_pretrained` reads: its configuration, and other weights."""

import json
import logging
import re
from pathlib import Path

import numpy as np

from slth._errors import InputError
from slth._files import check_writable, write_atomically
from slth.evidence import own_target
from slth.graph import Target, stored_weight
from slth.network import safetensors_of
from slth.numerics import FORMATS, from_format, to_format
from slth.ticket import Ticket, exact_tensors, with_steps

CONFIG, WEIGHTS = "config.json", "model.safetensors"
BESIDE = (
    "generation_config.json",
    "preprocessor_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
)  # files that a folder may have beside its weights, copied
STALE = re.compile(
    r"(model|pytorch_model)-\d{5}-of-\d{5}\.(safetensors|bin)|model\.safetensors\.index\.json|"
    r"pytorch_model\.bin(\.index\.json)?"
)  # other weights that save_pretrained writes, which would stay beside new ones
Tensors = list[tuple[str, str, np.ndarray]]

_log = logging.getLogger("slth.api")  # its notes are shown by the command line


def write_folder(ticket: Ticket, place: Path, target: Path, read: Target) -> dict[str, np.ndarray]:
    """Write it; all maps are the ticket's, every other tensor is the target's. Weights of another model there go.

    Raises:
        InputError: another network than the ticket's target; maps that are no tensors of the model, or that treat
            inputs of either sign by different weights; a place that cannot be written.
    """
    from slth.network import state_of_folder

    own_target(ticket, read)
    exact = ticket.claims is not None and ticket.claims.exact is not None
    state = {name: (held.format, held.array) for name, held in state_of_folder(target).items()}
    maps = _exact(ticket) if exact else _realised(ticket, read, {name: array for name, (_, array) in state.items()})
    tensors: Tensors = [(name, *maps.get(name, _stored(*own))) for name, own in state.items()]
    if place.exists() and not place.is_dir():
        raise InputError(f"cannot write {place}: there is a file of that name; a model is a folder, give another name")
    place.mkdir(parents=True, exist_ok=True)
    for name in (CONFIG, WEIGHTS):
        check_writable(place / name)
    config = json.loads((target / CONFIG).read_bytes())
    if not exact:
        config = {**config, "dtype": "float32"}
        config.pop("torch_dtype", None)
    for name in BESIDE:
        if (target / name).is_file() and (target / name).resolve() != (place / name).resolve():
            write_atomically(place / name, (target / name).read_bytes())
    replace_model(place, json.dumps(config, indent=2).encode(), safetensors_of(tensors, {"format": "pt"}))
    return {name: from_format(array, form) if form == "BF16" else array for name, form, array in tensors}


def replace_model(place: Path, config: bytes, weights: bytes) -> None:
    """Configuration and weights of a folder, in which a model may be: at no time it holds parts of both.

    While it has no configuration nobody reads it: that of the model which was there goes when the new weights are
    whole, and the new one comes when all other weights are gone, their index first.
    """
    write_atomically(place / WEIGHTS, weights, ready=lambda: (place / CONFIG).unlink(missing_ok=True))
    others = [path for path in place.iterdir() if STALE.fullmatch(path.name) and not path.is_dir()]
    others.sort(key=lambda path: (path.suffix != ".json", path.name))
    for path in others:
        path.unlink(missing_ok=True)
    write_atomically(place / CONFIG, config)
    if others:
        _log.info("removed weights of the model that was in %s: %s", place, ", ".join(path.name for path in others))


def _exact(ticket: Ticket) -> dict[str, tuple[str, np.ndarray]]:
    """The target's tensors, bit for bit."""
    assert ticket.claims is not None
    assert ticket.claims.exact is not None
    if ticket.claims.exact.differ:
        raise InputError(
            f"{ticket.claims.exact.differ:,} numbers of this ticket are not the target's, so it does not give the "
            "target's tensors back; construct it again with --carry-rest"
        )
    found = exact_tensors(ticket.claims.exact, ticket.maps, ticket.carried, ticket.realised)
    return {name: (form, array) for name, form, array in found}


def _realised(ticket: Ticket, read: Target, state: dict[str, np.ndarray]) -> dict[str, tuple[str, np.ndarray]]:
    """What every map realises, as the tensor of the model that it is."""
    found: dict[str, tuple[str, np.ndarray]] = {}
    for path, op in ticket.maps.items():
        turned = path in read.turned
        pair = read.turned.get(path) or read.names.get(path)
        if pair is None or pair[0] not in state:
            raise InputError(
                f"{with_steps(path, read.folded.get(path, ()))[:200]} is no tensor of the model by itself, so no "
                "folder of it computes this ticket; construct it with --exact, which folds nothing, or export to .onnx"
            )
        part = ticket.realised(path)
        if part.negative is not None and not np.array_equal(
            part.negative[:, part.signed], -part.positive[:, part.signed]
        ):
            raise InputError(
                f"no weights of the model compute this ticket: inputs of {path[:200]} can be negative, and it treats "
                "x⁺ and x⁻ by different weights; construct it with linear lifts, --gadget plain or --exact"
            )
        weight = stored_weight(op.basis, part.positive).astype(np.float32)
        found[pair[0]] = "F32", weight.T if turned else weight
        if pair[1] is not None and part.bias is not None:
            found[pair[1]] = "F32", part.bias.astype(np.float32)
    return found


def _stored(form: str, array: np.ndarray) -> tuple[str, np.ndarray]:
    return form, to_format(array.astype(np.float64), form) if form in FORMATS else array
