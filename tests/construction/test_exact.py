"""An exact ticket is its target: the tensors that it gives back are the target's, bit for bit, in every format."""

import dataclasses

import numpy as np
import pytest
import torch
from helpers.exact import int8, mlp, residual
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

import slth
from slth import InputError
from slth.ticket import encode

RANGE = {"input_range": (-1, 1)}
FORMATS = {"F32": torch.float32, "BF16": torch.bfloat16, "F16": torch.float16}


def given_back(ticket, path):
    slth.export(ticket, path)
    return load_file(path)


def same(state, found):
    """Names, types, shapes and bytes."""
    assert set(state) == set(found)
    for name, tensor in state.items():
        other = found[name]
        assert (tensor.dtype, tensor.shape) == (other.dtype, other.shape), name
        assert tensor.contiguous().view(-1).view(torch.uint8).equal(other.view(-1).view(torch.uint8)), name


@pytest.mark.parametrize("form", FORMATS)
def test_a_module_comes_back_with_its_normalisation_its_counter_and_its_buffers(form, tmp_path):
    model = residual(FORMATS[form])
    ticket = slth.construct(model, input_shape=(2, 3, 3), exact=True, **RANGE)
    path = slth.save(ticket, tmp_path / "t.slth")
    assert ticket.misses == 0
    same(model.state_dict(), given_back(path, tmp_path / "back.safetensors"))
    verified = slth.verify(path, target=model)
    assert verified.holds
    assert "exact" in [check.name for check in verified.checks]
    x = torch.randn(5, 2, 3, 3)
    assert torch.equal(slth.realised(path)(x), model.float()(x))


@pytest.mark.parametrize("form", FORMATS)
def test_a_file_comes_back_as_the_same_bytes(form, tmp_path):
    """Zeros keep their signs: pruning leaves −0 where a weight was negative."""
    model = mlp(FORMATS[form], pruned=True)
    assert (torch.signbit(model[0].weight) & (model[0].weight == 0)).any()
    save_file(model.state_dict(), tmp_path / "target.safetensors")
    ticket = slth.construct(tmp_path / "target.safetensors", activation="relu", exact=True, **RANGE)
    slth.export(ticket, tmp_path / "back.safetensors")
    assert (tmp_path / "back.safetensors").read_bytes() == (tmp_path / "target.safetensors").read_bytes()
    assert ticket.claims.exact.maps["layers/0"].zeros
    assert ticket.claims.exact.maps["layers/1"].zeros is None


@pytest.mark.parametrize("zero_points", [False, True])
def test_whole_numbers_with_scales_come_back(zero_points, tmp_path):
    state = int8(mlp(torch.bfloat16), zero_points=zero_points)
    save_file(state, tmp_path / "target.safetensors")
    ticket = slth.construct(tmp_path / "target.safetensors", activation="relu", exact=True, **RANGE)
    slth.save(ticket, tmp_path / "t.slth")
    slth.export(tmp_path / "t.slth", tmp_path / "back.safetensors")
    assert (tmp_path / "back.safetensors").read_bytes() == (tmp_path / "target.safetensors").read_bytes()
    assert slth.verify(tmp_path / "t.slth", target=tmp_path / "target.safetensors", activation="relu").holds


def test_a_real_bias_beside_whole_numbers_is_carried_where_their_step_is_too_coarse(tmp_path):
    state = int8(mlp())
    save_file(state, tmp_path / "target.safetensors")
    ticket = slth.construct(tmp_path / "target.safetensors", activation="relu", exact=True, **RANGE)
    assert ticket.misses == 0
    assert all(gadget.stage_count == 1 for gadget in ticket.gadgets.values())
    assert ticket.carried["layers/1/rest"].size <= 6
    slth.export(ticket, tmp_path / "back.safetensors")
    assert (tmp_path / "back.safetensors").read_bytes() == (tmp_path / "target.safetensors").read_bytes()
    assert slth.verify(ticket, target=tmp_path / "target.safetensors", activation="relu").holds


def test_a_parametrised_weight_is_what_the_module_computes(tmp_path):
    model = mlp(torch.bfloat16)
    weight_norm(model[2])
    ticket = slth.construct(model, exact=True, **RANGE)
    found = given_back(ticket, tmp_path / "back.safetensors")
    assert torch.equal(found["2.weight"], model[2].weight)
    assert not any("parametrizations" in name for name in found)


def test_tied_tensors_come_back_under_every_name(tmp_path):
    model = mlp(torch.bfloat16)
    first = model[2]
    tied = nn.Sequential(
        model[0], nn.ReLU(), first, nn.ReLU(), nn.Linear(6, 6, dtype=torch.bfloat16), nn.ReLU(), model[4]
    )
    tied[4].weight = first.weight
    ticket = slth.construct(tied, exact=True, **RANGE)
    found = given_back(ticket, tmp_path / "back.safetensors")
    same(tied.state_dict(), found)
    assert slth.verify(ticket, target=tied).holds


def test_the_next_number_of_the_format_is_another_target(tmp_path):
    model = mlp(torch.bfloat16)
    ticket = slth.construct(model, exact=True, **RANGE)
    with torch.no_grad():
        bits = model[2].weight.view(torch.int16)
        bits[3, 2] += 1
    verified = slth.verify(ticket, target=model)
    assert not verified.holds
    assert any("bit for bit" in check.detail for check in verified.checks if check.verdict.name == "FAILS")


def test_the_sign_of_a_zero_is_a_number_too():
    model = mlp(torch.bfloat16, pruned=True)
    ticket = slth.construct(model, exact=True, **RANGE)
    assert slth.verify(ticket, target=model).holds
    with torch.no_grad():
        weight = model[0].weight
        weight[weight == 0] = 0.0
    assert not slth.verify(ticket, target=model).holds


def test_another_counter_or_buffer_is_another_target():
    model = residual(torch.bfloat16)
    ticket = slth.construct(model, input_shape=(2, 3, 3), exact=True, **RANGE)
    model.unused[1] = -1
    assert not slth.verify(ticket, target=model).holds
    model.unused[1] = 1
    assert slth.verify(ticket, target=model).holds
    model.norm.num_batches_tracked += 1
    assert not slth.verify(ticket, target=model).holds


def test_what_no_subset_reaches_is_listed_or_carried(tmp_path):
    """Of few candidates many numbers are off; carried they are the target's, and counted."""
    model = mlp(torch.bfloat16, pruned=True)
    listed = slth.construct(model, exact=True, candidates=12, **RANGE)
    assert 0 < listed.misses == listed.claims.exact.differ
    assert len(listed.provenance.misses) == listed.misses
    assert slth.verify(listed, target=model).holds
    with pytest.raises(InputError, match="carry"):
        slth.export(listed, tmp_path / "back.safetensors")
    carried = slth.construct(model, exact=True, carry_rest=True, candidates=12, **RANGE)
    assert carried.misses == 0
    assert sum(carried.carried[f"{path}/rest"].size for path in carried.maps) <= listed.misses
    assert slth.verify(carried, target=model).holds
    same(model.state_dict(), given_back(carried, tmp_path / "back.safetensors"))


def test_claims_that_are_false_are_seen():
    model = mlp(torch.bfloat16, pruned=True)
    ticket = slth.construct(model, exact=True, **RANGE)
    exact = ticket.claims.exact
    name = "layers/0/zeros"
    bits = ticket.carried[name].copy()
    bits[0] ^= 1
    flipped = dataclasses.replace(ticket, carried={**ticket.carried, name: bits})
    assert not slth.verify(flipped, target=model).holds
    fewer = dataclasses.replace(exact.maps["layers/1"], differ=1)
    lies = dataclasses.replace(exact, maps={**exact.maps, "layers/1": fewer})
    assert not slth.verify(
        dataclasses.replace(ticket, claims=dataclasses.replace(ticket.claims, exact=lies)), target=model
    ).holds
    signs = np.zeros(9, np.uint8)
    longer = dataclasses.replace(ticket, carried={**ticket.carried, name: signs})
    assert not slth.verify(longer, target=model).holds


def test_the_same_bytes_for_any_number_of_threads():
    model = residual(torch.bfloat16)
    made = [slth.construct(model, input_shape=(2, 3, 3), exact=True, threads=n, **RANGE) for n in (1, 2)]
    assert encode(made[0]) == encode(made[1])


class Standardised(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 3)

    def forward(self, x):
        return nn.functional.linear(x, self.fc.weight - self.fc.weight.mean(1, keepdim=True), self.fc.bias)


def lazy():
    return nn.Sequential(nn.LazyLinear(3))


def broken():
    model = mlp()
    with torch.no_grad():
        model[2].weight[1, 1] = torch.nan
    return model


REFUSED = {
    "an expression": (Standardised(), {"input_shape": (4,)}, "fc: its weight is no tensor"),
    "float64": (mlp(torch.float64), {}, r"0.weight is F64; .*float\(\)"),
    "NaN": (broken(), {}, "2.weight holds nan"),
    "a lazy layer": (lazy(), {"input_shape": (4,)}, "lazy"),
    "a jump": (nn.Sequential(nn.Linear(4, 3), nn.Hardshrink()), {}, "compares, orders or rounds"),
    "a tolerance, too": (mlp(), {"tolerance": 0.01}, "exact"),
    "the rest of nothing": (mlp(), {"exact": False, "carry_rest": True}, "carry"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_tensors_of_its_own_is_refused_by_name(name):
    model, options, words = REFUSED[name]
    with pytest.raises(InputError, match=words):
        slth.construct(model, **{"exact": True, **options}, **RANGE)


def test_a_list_of_other_numbers_than_those_that_differ_is_a_lie():
    """The count is right and the errors are true: but these numbers are the target's, bit for bit."""
    model = {"weight": np.array([[1e-42, 0.5, -0.25], [0.125, 0.75, 0.3]], np.float32)}
    ticket = slth.construct(model, input_range=(0, 1), exact=True, threads=1)
    (path,), misses = ticket.maps, ticket.provenance.misses
    assert ticket.misses == len(misses) > 0
    assert slth.verify(ticket, target=model).holds
    off = abs(ticket.realised(path).positive[1, 2, 0] - float(model["weight"][1, 2]))
    lie = tuple(dataclasses.replace(miss, output=1, input=2, error=off) for miss in misses)
    forged = dataclasses.replace(ticket, provenance=dataclasses.replace(ticket.provenance, misses=lie))
    failed = [check.detail for check in slth.verify(forged, target=model).checks if check.verdict.name == "FAILS"]
    assert any("is the same" in detail for detail in failed)
