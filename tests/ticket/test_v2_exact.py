"""Exact claims in files: a second reader finds the target's bytes; what does not fit is refused before it is read."""

import numpy as np
import pytest
import torch
from helpers.exact import int8, mlp, residual
from helpers.version2_files import changed, parts, sealed
from references import version2_exact
from safetensors.torch import save

import slth
from slth.ticket import TicketError, decode, encode

RANGE = {"input_range": (-1, 1)}


@pytest.fixture(scope="module")
def made():
    """Of every format: the target's state, and the file of its ticket."""
    states = {"BF16": residual(torch.bfloat16), "F16": mlp(torch.float16, pruned=True)}
    found = {}
    for name, model in states.items():
        shape = {"input_shape": (2, 3, 3)} if name == "BF16" else {}
        ticket = slth.construct(model, exact=True, carry_rest=True, candidates=24, **shape, **RANGE)
        found[name] = (model.state_dict(), encode(ticket))
    state = int8(mlp(torch.bfloat16), zero_points=True)
    found["I8"] = (state, encode(slth.construct(state, activation="relu", exact=True, **RANGE)))
    return found


@pytest.mark.parametrize("form", ["BF16", "F16", "I8"])
def test_a_second_reader_finds_every_byte_of_the_target(made, form):
    state, data = made[form]
    found = version2_exact.tensors(data)
    assert set(found) == set(state)
    for name, tensor in state.items():
        own = tensor.contiguous().view(-1).view(torch.uint8).numpy().tobytes()
        assert found[name][1:] == (tuple(tensor.shape), own), name
    meta, _, _ = parts(data)
    assert version2_exact.digest(data) == meta["provenance"]["target"]


@pytest.mark.parametrize("form", ["BF16", "F16", "I8"])
def test_a_file_is_read_and_written_again_as_the_same_bytes(made, form):
    assert encode(decode(made[form][1])) == made[form][1]


HOSTILE = {
    "an unknown format": (("claims", "exact", "maps", "layers/0", "format"), "F8", "update slth"),
    "a scale for real numbers": (("claims", "exact", "maps", "layers/0", "scale"), "layers/0/zeros", "scale"),
    "zeros that nobody carries": (("claims", "exact", "maps", "layers/1", "zeros"), "nothing", "nothing"),
    "no format of a bias": (("claims", "exact", "maps", "layers/0", "bias"), None, "bias"),
    "a tensor of no map": (("claims", "exact", "tensors", "2.bias", "of"), "layers/9", "2.bias is no tensor"),
    "a tensor of another size": (("claims", "exact", "tensors", "2.bias", "shape"), [7], "2.bias is no tensor"),
    "a bias that is transposed": (("claims", "exact", "tensors", "2.bias", "transposed"), True, "2.bias is no tensor"),
    "more differ than there are": (("claims", "exact", "maps", "layers/0", "differ"), 10**6, "differ"),
    "a map without a claim": (("claims", "exact", "maps", "layers/1"), ..., "layers/1"),
    "nothing was asked": (("provenance", "asked", "exact"), ..., "exactly one of"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_does_not_fit_is_refused(made, name):
    path, value, words = HOSTILE[name]
    meta, entries, body = parts(made["F16"][1])
    with pytest.raises(TicketError, match=words):
        decode(sealed(changed(meta, path, value), entries, body))


def test_the_library_writes_the_same_file_of_tensors_of_every_type():
    from slth.network.tensor_files import safetensors_of

    kinds = {"U8": np.uint8, "I8": np.int8, "I16": np.int16, "I32": np.int32, "I64": np.int64}
    kinds |= {"F16": np.float16, "F32": np.float32, "F64": np.float64, "BOOL": np.bool_}
    arrays = [(f"{i}.é{name}", name, np.ones((i, 3), kind)) for i, (name, kind) in enumerate(kinds.items())]
    arrays += [("scalar", "I64", np.array(3)), ("Z", "F32", np.zeros(2, np.float32))]
    assert safetensors_of(arrays) == save({name: torch.from_numpy(array) for name, _, array in arrays})


def leaves(data, path=()):
    """The path of every member that is no object."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield from leaves(value, (*path, key))
    else:
        yield path, data


def others(value):
    """Values of other kinds, and of the same."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, -1]
    if isinstance(value, list):
        return [value[::-1], [*value, 1], [*value, 2], value[:-1]]
    names = ["F32", "BF16", "I8", "layers/0", "layers/1", "weight", "bias", "carried", "layers/0/zeros", "2.bias"]
    return [other for other in (None, *names) if other != value]


@pytest.mark.slow
def test_no_member_of_an_exact_claim_can_be_changed_unseen(made):
    """Each is refused by the reader, or seen beside the target; a shape that is the same number of ones is the same."""
    model = mlp(torch.float16, pruned=True)
    meta, entries, body = parts(made["F16"][1])
    tried = 0
    for path, value in leaves(meta["claims"]["exact"], ("claims", "exact")):
        for other in others(value):
            if other == value:
                continue
            tried += 1
            try:
                ticket = decode(sealed(changed(meta, path, other), entries, body))
            except TicketError:
                continue
            assert not slth.verify(ticket, target=model).holds, (path, other)
    assert tried > 500


def test_no_byte_of_what_is_carried_can_be_changed_unseen(made):
    model = mlp(torch.float16, pruned=True)
    meta, entries, body = parts(made["F16"][1])
    runs = {name: entry["data_offsets"] for name, entry in entries.items() if name.startswith("carried/")}
    assert runs
    for start, stop in runs.values():
        for at in range(start, stop):
            flipped = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
            try:
                ticket = decode(sealed(meta, entries, flipped))
            except TicketError:
                continue
            assert not slth.verify(ticket, target=model).holds, at
