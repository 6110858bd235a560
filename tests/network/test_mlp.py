"""A target is read for what it is, or refused with one sentence."""

import numpy as np
import pytest
import torch
from helpers.networks import widths_of
from safetensors.numpy import save_file
from torch import nn

from slth import InputError
from slth.graph import Target
from slth.network import read_target


def tensors(*names_and_shapes, seed=0):
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=shape).astype(np.float32) for name, shape in names_and_shapes}


def test_numbered_layers_come_in_natural_order():
    """`fc10` stands after `fc9`, whatever the order in the file."""
    sizes = list(range(12, 1, -1))
    state = {f"fc{i}.weight": np.ones((sizes[i + 1], sizes[i]), np.float32) for i in (9, 0, 5, 1, 8, 2, 7, 3, 6, 4)}
    assert widths_of(read_target(state)) == tuple(sizes)


def test_weights_and_biases_are_kept_exactly():
    state = tensors(("0.weight", (4, 3)), ("0.bias", (4,)), ("2.weight", (2, 4)))
    target = read_target(state)
    assert target.names == {"layers/0": ("0.weight", "0.bias"), "layers/1": ("2.weight", None)}
    first, second = target.coefficients.values()
    assert (first.weight[:, :, 0] == state["0.weight"]).all()
    assert (first.bias == state["0.bias"]).all()
    assert second.bias is None
    assert "relu" in target.assumed[0]


def test_named_layers_are_taken_in_the_only_order_that_chains():
    state = tensors(("out.weight", (2, 5)), ("body.weight", (5, 4)), ("stem.weight", (4, 3)))
    target = read_target(state)
    assert widths_of(target) == (3, 4, 5, 2)
    assert any("only order" in sentence for sentence in target.assumed)


def test_an_ambiguous_order_is_refused_and_can_be_given():
    state = tensors(("a.weight", (4, 4)), ("b.weight", (4, 4)))
    with pytest.raises(InputError, match=r"ambiguous.*--order"):
        read_target(state)
    swapped = read_target(state, order=["b", "a"])
    assert (swapped.coefficients["layers/0"].weight[:, :, 0] == state["b.weight"]).all()


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ({}, "no tensors"),
        (tensors(("0.weight", (4, 3)), ("2.weight", (2, 5))), "do not chain"),
        (tensors(("x.weight", (4, 3)), ("y.weight", (2, 5))), "do not chain in any order"),
        (tensors(("0.weight", (4, 3, 3, 3))), "unknown layer: 0.weight"),
        (tensors(("0.weight", (4, 3)), ("1.running_mean", (4,))), "unknown layer: 1.running_mean"),
        (tensors(("0.weight", (4, 3)), ("1.bias", (4,))), "unknown layer: 1.bias"),
        (tensors(("0.weight", (4, 3)), ("0.bias", (3,))), "4 outputs"),
        ({"0.weight": np.ones((2, 2), np.int8)}, "dequantise"),
        ({"0.weight": np.array([[1.0, np.nan]])}, r"holds nan at \(0, 1\)"),
        ({"0.weight": np.array([[np.inf, 1.0]])}, r"holds inf at \(0, 0\)"),
        ({"0.weight": "x"}, "expected tensors only"),
        ({"0.weight": np.ones((0, 3))}, "none of them 0"),
        (3, "a target is a path"),
    ],
)
def test_what_is_no_plain_mlp_is_refused_in_one_sentence(state, sentence):
    with pytest.raises(InputError, match=sentence) as error:
        read_target(state)
    assert "\n" not in str(error.value)


def test_an_order_must_name_each_layer_once():
    state = tensors(("a.weight", (4, 4)), ("b.weight", (4, 4)))
    for order in (["a"], ["a", "a"], ["a", "b", "c"]):
        with pytest.raises(InputError, match="each layer once"):
            read_target(state, order=order)


def test_an_unknown_activation_is_refused():
    with pytest.raises(InputError, match="unknown activation 'gelu'"):
        read_target(tensors(("0.weight", (4, 3))), activation="gelu")


def test_files_and_modules_give_the_same_target(tmp_path):
    module = nn.Sequential(nn.Flatten(), nn.Linear(3, 4), nn.ReLU(), nn.Sequential(nn.Dropout(), nn.Linear(4, 2)))
    state = {name: tensor.detach().numpy() for name, tensor in module.state_dict().items()}
    save_file(state, tmp_path / "t.safetensors")
    torch.save(module.state_dict(), tmp_path / "t.pt")
    torch.save({"state_dict": module.state_dict()}, tmp_path / "nested.pt")
    order = ["1", "3.1"]
    read = [read_target(module)]
    read += [read_target(tmp_path / name, order=order) for name in ("t.safetensors", "t.pt", "nested.pt")]
    for target in read:
        assert list(target.names.values()) == [("1.weight", "1.bias"), ("3.1.weight", "3.1.bias")]
        for path, (weight, bias) in target.names.items():
            assert (target.coefficients[path].weight[:, :, 0] == state[weight]).all()
            assert (target.coefficients[path].bias == state[bias]).all()
    assert read[0].assumed == ()
    assert isinstance(read[0], Target)
    assert read_target(read[0]) is read[0]


class Scaled(nn.Sequential):
    def forward(self, x):
        return 5 * super().forward(x)


class Odd(nn.Linear):
    def forward(self, x):
        return -super().forward(x)


SHARED = nn.ReLU()
HOOKED = nn.Sequential(nn.Linear(2, 2))
HOOKED[0].register_forward_hook(lambda *_: None)


def test_an_activation_may_be_shared_by_layers():
    module = nn.Sequential(nn.Linear(2, 3), SHARED, nn.Linear(3, 3), SHARED, nn.Linear(3, 1))
    assert widths_of(read_target(module)) == (2, 3, 3, 1)


@pytest.mark.parametrize(
    ("module", "sentence"),
    [
        (nn.Sequential(nn.Linear(2, 2), SHARED, nn.Linear(2, 2), SHARED), "end in a Linear"),
        (Scaled(nn.Linear(2, 2)), "expected an nn.Sequential"),
        (nn.Sequential(Scaled(nn.Linear(2, 2))), "expected an nn.Sequential"),
        (nn.Sequential(Odd(2, 2)), "unknown layer 0: Odd"),
        (HOOKED, "forward hooks"),
        (nn.Linear(2, 2), "expected an nn.Sequential"),
        (nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 2)), "unknown layer 1: Tanh"),
        (nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2)), "expected ReLU at 1"),
        (nn.Sequential(nn.Linear(2, 2), nn.ReLU()), "end in a Linear"),
        (nn.Sequential(nn.ReLU(), nn.Linear(2, 2)), "expected Linear at 0"),
        (nn.Sequential(), "no Linear"),
        (nn.Sequential(nn.Conv2d(1, 1, 1)), "unknown layer 0: Conv2d"),
    ],
)
def test_other_modules_are_refused(module, sentence):
    with pytest.raises(InputError, match=sentence):
        read_target(module)


def test_a_pickle_with_code_is_not_executed(tmp_path):
    import pickle

    class Bomb:
        def __reduce__(self):
            return (open, (str(tmp_path / "exploded"), "w"))

    (tmp_path / "bomb.pt").write_bytes(pickle.dumps(Bomb()))
    torch.save(Bomb(), tmp_path / "bomb2.pt")
    for name in ("bomb.pt", "bomb2.pt"):
        with pytest.raises(InputError, match="not a plain PyTorch state dict"):
            read_target(tmp_path / name)
    assert not (tmp_path / "exploded").exists()


def test_unreadable_files_are_one_sentence(tmp_path):
    (tmp_path / "half.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0{")
    (tmp_path / "t.bin").write_bytes(b"")
    torch.save([1, 2], tmp_path / "list.pt")
    for name, sentence in [
        ("none.safetensors", "no such file"),
        ("half.safetensors", "not a whole safetensors file"),
        ("t.bin", "expected the suffix"),
        ("list.pt", "expected a state dict, got list"),
        (".", "it is a folder"),
    ]:
        with pytest.raises(InputError, match=sentence):
            read_target(tmp_path / name)
