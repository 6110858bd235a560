"""The network that a ticket stands for, for other tools: a state dict, an ONNX file, a question for a verifier."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from slth import _arguments
from slth._errors import InputError
from slth._files import check_writable, write_atomically
from slth._version import __version__
from slth.api._construct import Reading
from slth.api._evidence import target_of
from slth.api._model_folder import write_folder
from slth.api._train import write_tensors
from slth.api._views import ticket_of
from slth.evidence import own_target
from slth.graph import Box
from slth.network import is_model_folder, safetensors_of, stated_of
from slth.numerics import from_format
from slth.records import verbs
from slth.ticket import Ticket, exact_tensors

if TYPE_CHECKING:
    from slth.network import OnnxFile

SUFFIXES = (".safetensors", ".onnx")
QUESTION = ".vnnlib"


@dataclass(frozen=True, slots=True, eq=False)
class Exported(Mapping[str, np.ndarray]):
    """What was written: a mapping of names to arrays, the numbers in the file, and how it was checked."""

    tensors: Mapping[str, np.ndarray]
    difference: float | None = None  # of an ONNX file: largest |onnxruntime − PyTorch| on random inputs
    allowed: float | None = None  # what rounding of float32 allows there
    question: Path | None = None  # the .vnnlib file

    def __getitem__(self, name: str) -> np.ndarray:
        """An array by its name in the file."""
        return self.tensors[name]

    def __iter__(self) -> Iterator[str]:
        """The names."""
        return iter(self.tensors)

    def __len__(self) -> int:
        """How many there are."""
        return len(self.tensors)


def export(
    ticket: Ticket | str | Path,
    out: str | Path,
    *,
    view: str = "realised",
    difference: bool = False,
    vnnlib: int = 1,
    target: Any = None,
    model: str | None = None,
    order: Sequence[str] | None = None,
    activation: str | None = None,
    from_node: str | None = None,
    to_node: str | None = None,
) -> Exported:
    """Write the network that a ticket stands for as a plain state dict, or as ONNX. Needs PyTorch.

    An ONNX file (opset 18) has one input `input` and one output `output`, and takes batches of any size. It is written
    by PyTorch's exporter, and only once onnxruntime computes the same as PyTorch on random inputs, to float32 rounding.

    Args:
        out: the file, `.safetensors` or `.onnx`; or a folder, where the target is one of a Hugging Face model: then it
            gets that model's configuration, and weights of which every map is the ticket's, for `from_pretrained`;
            other weights that `save_pretrained` has written there are removed.
        view: "realised", the target's shape; as a state dict it exists only where no weight has two halves, and of an
            exact ticket it is the target's own: every tensor in its own format, bit for bit. Or
            "source", the random network. Of a learned ticket: its network, pruned, or with all of its random weights.
        difference: write f − f̂, target minus ticket, as one ONNX network; and beside it, with the suffix `.vnnlib`, the
            property whose *unsat* says that it stays below the bound that the ticket claims, on all of its inputs.
        vnnlib: the version of VNN-LIB, 1 or 2, in which that is written.
        target: the network the ticket was made for; `model`, `order`, `activation`, `from_node`, `to_node`: see
            `construct`.

    Returns:
        The tensors by name, as they were written; of an ONNX file `.difference`, the largest of that check.

    Raises:
        InputError: a view that does not exist for this ticket, another suffix, a place that cannot be written; another
            network than the ticket's target; a ticket that claims no bound. Nothing was written.
    """
    given = {"view": view, "difference": difference, "vnnlib": vnnlib}
    view, difference, vnnlib = (verbs.read(verbs.Export, name, value) for name, value in given.items())
    place = _arguments.path("out", out)
    beside = place.with_suffix(QUESTION)
    folder = place.suffix not in SUFFIXES and is_model_folder(target)
    if folder:
        return _folder(ticket, place, view=view, target=Path(target), difference=difference)
    _check(place, difference=difference, given=target is not None or model is not None, vnnlib=vnnlib)
    verbs.check_apart(verbs.Export, ticket=ticket, target=target, model=model, out=place)
    found = ticket_of(ticket)
    if place.suffix == ".safetensors" and view == "realised" and found.claims is not None and found.claims.exact:
        return _exact(found, place)
    if place.suffix == ".safetensors":
        from slth.network import state_dict

        tensors = state_dict(found, view)
        write_tensors(place, tensors, stated_of(found, view))
        return Exported(tensors)
    from slth.network import check_tools

    check_tools()
    if not difference:
        from slth.network import ticket_onnx

        file = ticket_onnx(found, view)
        write_atomically(place, file.data)
        return Exported(file.tensors, file.difference, file.allowed)
    from slth.network import difference_onnx, property_text

    box, bound = _claim(found)
    read = target_of(found, target, model, Reading(order, activation, from_node, to_node))
    file = difference_onnx(found, own_target(found, read), view)
    comments = _comments(found, file, place=place, bound=bound, version=vnnlib)
    write_atomically(beside, property_text(box, file.output, bound, version=vnnlib, comments=comments).encode())
    write_atomically(place, file.data)
    return Exported(file.tensors, file.difference, file.allowed, beside)


def _folder(ticket: Ticket | str | Path, place: Path, *, view: str, target: Path, difference: bool) -> Exported:
    """A folder of the transformers library, with the configuration of the target's."""
    if difference or view != "realised":
        raise InputError(
            "a model folder has the target's layers: leave --difference and --view out, or write a .onnx file"
        )
    found = ticket_of(ticket)
    verbs.check_apart(verbs.Export, target=target, out=place)
    return Exported(write_folder(found, place, target, target_of(found, target, None, Reading())))


def _exact(ticket: Ticket, place: Path) -> Exported:
    """The target's tensors, bit for bit in their own formats."""
    assert ticket.claims is not None
    assert ticket.claims.exact is not None
    differ = ticket.claims.exact.differ
    if differ:
        raise InputError(
            f"{differ:,} numbers of this ticket are not the target's, so it does not give the target's tensors back; "
            "construct it again with --carry-rest, or export --view source"
        )
    tensors = list(exact_tensors(ticket.claims.exact, ticket.maps, ticket.carried, ticket.realised))
    write_atomically(place, safetensors_of(tensors))
    return Exported({name: from_format(array, form) if form == "BF16" else array for name, form, array in tensors})


def _check(place: Path, *, difference: bool, given: bool, vnnlib: int) -> None:
    """What is asked for goes together, and can be written."""
    if place.suffix not in SUFFIXES:
        raise InputError(
            f"cannot export to {place.name!r}: expected the suffix {' or '.join(SUFFIXES)}, or a folder together with "
            "the --target folder of a Hugging Face model"
        )
    if difference and place.suffix != ".onnx":
        raise InputError(f"a difference is a network of its own, and {place.name!r} holds tensors; write a .onnx file")
    if difference and not given:
        raise InputError("a difference is that of a target and the ticket; give the target, too: --target F")
    if given and not difference:
        raise InputError("a target is for the difference from it, --difference; without it the ticket alone is written")
    if vnnlib != 1 and not difference:
        raise InputError("--vnnlib is the version of the property that --difference writes; without it there is none")
    check_writable(place)
    if difference:
        check_writable(place.with_suffix(QUESTION))


def _claim(ticket: Ticket) -> tuple[Box, float]:
    """The inputs that a ticket speaks of, and what it claims of its error on them.

    Raises:
        InputError: it claims no bound, and why; or that there is no error at all.
    """
    claims, box = ticket.claims, None if ticket.inputs is None else ticket.inputs.box
    if claims is None:
        raise InputError("a learned ticket stands for no target network, so it has no difference from one")
    if box is None:
        raise InputError(
            "this ticket has no input range, so it claims no bound that could be verified; construct it with one: "
            "--input-range lo,hi"
        )
    if ticket.inputs is not None and ticket.inputs.tokens is not None:
        raise InputError(
            "this ticket takes tokens, which are whole numbers; VNN-LIB asks about ranges of real ones, so no property "
            "is written: export it without --difference"
        )
    if claims.sup_error is None:
        raise InputError(
            f"this ticket claims no bound that could be verified: claims stop at {', '.join(claims.stops)[:200]}, "
            "through which nothing is claimed"
        )
    if claims.sup_error == 0:
        raise InputError("this ticket claims an error of 0; whether that is exceeded cannot be asked with <= and >=")
    return box, claims.sup_error


def _comments(ticket: Ticket, file: "OnnxFile", *, place: Path, bound: float, version: int) -> list[str]:
    """What stands in front of the property: what it means."""
    inputs, outputs = (" x ".join(map(str, shape)) for shape in (file.input, file.output))
    entries = {
        1: f"X_i: entry i of its input, {inputs}; Y_j: entry j of its output, {outputs}; without batch, in C order.",
        2: f"X: its input, {inputs}; Y: its output, {outputs}; with the batch, of one, as first axis.",
    }
    return [
        f"Can target and ticket differ by {bound!r} or more? VNN-LIB {version}, written by slth {__version__}.",
        "",
        f"Network: {ascii(place.name)[1:-1]}: x -> f(x) - g(x), where f is the target and g what the ticket computes;",
        f"  SHA-256 {hashlib.sha256(file.data).hexdigest()},",
        f"  target  {ticket.provenance.target}.",
        entries[version],
        "The box is the input range that the ticket states, of what enters the network. Numbers are float64, written",
        "in full: nothing is rounded.",
        "",
        "unsat: no input in the box gives an output whose size is the bound or more, so that what the ticket claims,",
        "       |f - g| <= bound on the box, holds of the network in the file.",
        "sat:   some input does; the claim is then refuted, unless the excess is rounding.",
        "",
        "The claim is about real arithmetic and the exact coefficients of f and g. In the file these are rounded to",
        "float32, and a verifier rounds, too, as it says: both answers are about the claim up to this rounding.",
    ]
