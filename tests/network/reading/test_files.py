"""Files as people save them are read; whatever else they hold is one sentence, and nothing of it runs."""

import os
import pickle
import struct

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from torch import nn

from slth import InputError
from slth.network import read_array, read_target, read_tensors


@pytest.fixture
def module():
    torch.manual_seed(1)
    return nn.Sequential(nn.Flatten(), nn.Linear(3, 4), nn.ReLU(), nn.Sequential(nn.Dropout(), nn.Linear(4, 2)))


def holds(path, module):
    """A file's tensors are the module's."""
    found = read_tensors(path)
    assert list(found) == list(module.state_dict())
    for name, tensor in module.state_dict().items():
        assert (found[name] == tensor.double().numpy()).all()


def test_files_and_modules_give_the_same_target(tmp_path, module):
    state = {name: tensor.detach().numpy() for name, tensor in module.state_dict().items()}
    save_file(state, tmp_path / "t.safetensors")
    np.savez(tmp_path / "t.npz", **state)
    torch.save(module.state_dict(), tmp_path / "t.pt")
    torch.save({"state_dict": module.state_dict()}, tmp_path / "nested.pt")
    order = ["1", "3.1"]
    read = [read_target(module)]
    read += [read_target(tmp_path / name, order=order) for name in ("t.safetensors", "t.npz", "t.pt", "nested.pt")]
    for target in read:
        assert target.names == {"layers/0": ("1.weight", "1.bias"), "layers/1": ("3.1.weight", "3.1.bias")}
        for path, (weight, bias) in target.names.items():
            assert (target.coefficients[path].weight[:, :, 0] == state[weight]).all()
            assert (target.coefficients[path].bias == state[bias]).all()
    assert read[0].assumed == ()


CHECKPOINTS = {
    "model_state_dict": lambda state: {"epoch": 3, "model_state_dict": state,
    "optimizer_state_dict": {"state": {}, "param_groups": []}},
    "model": lambda state: {"model": state, "args": {"lr": 0.1}, "epoch": 1},
    "state_dict": lambda state: {"state_dict": state, "best": 0.9},
    "lightning": lambda state: {"state_dict": state, "pytorch-lightning_version": "2.4", "callbacks": {},
    "loops": {"a": {"b": 1}}},
    "model in state_dict": lambda state: {"state_dict": {"model": state}},
    "a name of one's own": lambda state: {"generator": state, "epoch": 2, "log": {"loss": [1.0, 0.5]}},
    "module.": lambda state: {f"module.{name}": tensor for name, tensor in state.items()},
    "_orig_mod.": lambda state: {f"_orig_mod.{name}": tensor for name, tensor in state.items()},
    "both": lambda state: {"state_dict": {f"module._orig_mod.{name}": tensor for name, tensor in state.items()}},
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "suffix"),
    [
        *((kind, ".pt") for kind in CHECKPOINTS),
        ("model_state_dict", ".pth"),
        ("lightning", ".ckpt"),
        ("module.", ".bin"),
    ],
)
def test_checkpoints_are_read_through(tmp_path, module, kind, suffix):
    torch.save(CHECKPOINTS[kind](module.state_dict()), tmp_path / f"c{suffix}")
    holds(tmp_path / f"c{suffix}", module)


def test_a_mapping_in_memory_is_read_through_as_well(module):
    target = read_target({"model_state_dict": module.state_dict(), "epoch": 3}, order=["1", "3.1"])
    assert target.names["layers/0"] == ("1.weight", "1.bias")


def test_half_precision_is_read_exactly(tmp_path):
    weight = torch.randn(4, 3).bfloat16()
    torch.save({"0.weight": weight}, tmp_path / "t.pt")
    from safetensors.torch import save_file as save_tensors

    save_tensors({"0.weight": weight}, tmp_path / "t.safetensors")
    from ml_dtypes import bfloat16  # with which safetensors gives arrays of the type

    small = weight.float().numpy().astype(bfloat16)
    for source in (tmp_path / "t.pt", tmp_path / "t.safetensors", {"0.weight": small}):
        (affine,) = read_target(source).coefficients.values()
        assert (affine.weight[:, :, 0] == weight.double().numpy()).all()


def test_a_pickle_with_code_is_not_executed(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (open, (str(tmp_path / "exploded"), "w"))

    (tmp_path / "bomb.pt").write_bytes(pickle.dumps(Bomb()))
    torch.save(Bomb(), tmp_path / "bomb2.pt")
    for name in ("bomb.pt", "bomb2.pt"):
        with pytest.raises(InputError, match="not a plain PyTorch state dict"):
            read_target(tmp_path / name)
    np.savez(tmp_path / "bomb.npz", weight=np.array([Bomb()], dtype=object))
    with pytest.raises(InputError, match=r"not a whole \.npz of plain arrays"):
        read_target(tmp_path / "bomb.npz")
    assert not (tmp_path / "exploded").exists()


class Mine(nn.Module):
    pass


@pytest.mark.parametrize("wrap", [lambda model: model, lambda model: {"model": model}], ids=["model", "checkpoint"])
def test_a_pickled_module_says_how_to_save_it(tmp_path, wrap):
    torch.save(wrap(Mine()), tmp_path / "model.pt")
    with pytest.raises(InputError) as error:
        read_target(tmp_path / "model.pt")
    text = str(error.value)
    assert "it holds Python objects (" in text
    assert "Mine" in text
    assert "torch.save(model.state_dict(), path), or pass the model itself" in text
    assert text.isprintable()


def test_unreadable_files_are_one_sentence(tmp_path):
    (tmp_path / "half.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0{")
    header = b'{"weight":{"dtype":"F32","shape":[0,4611686018427387904],"data_offsets":[0,0]}}'
    (tmp_path / "huge.safetensors").write_bytes(struct.pack("<Q", len(header)) + header)
    (tmp_path / "t.h5").write_bytes(b"")
    (tmp_path / "t.npz").write_bytes(b"PK\x03\x04")
    torch.save([1, 2], tmp_path / "list.pt")
    torch.save({"a": {"x.weight": torch.eye(2)}, "b": {"x.weight": torch.eye(2)}}, tmp_path / "two.pt")
    circle = {}
    circle["state_dict"] = circle
    torch.save(circle, tmp_path / "circle.pt")
    os.mkfifo(tmp_path / "fifo.pt")
    (tmp_path / "net.py").write_text("")
    for name in ("text.pt", "text.npz"):
        (tmp_path / name).write_text("hello\n")
    torch.save({"weight": torch.eye(9)}, tmp_path / "part.pt")
    (tmp_path / "part.pt").write_bytes((tmp_path / "part.pt").read_bytes()[:700])
    torch.jit.script(nn.Linear(2, 2)).save(tmp_path / "script.pt")
    for name, sentence in [
        ("none.safetensors", "no such file"),
        ("half.safetensors", "not a whole safetensors file"),
        ("huge.safetensors", "none of them 0|not a whole safetensors file|holds nothing"),
        ("t.h5", r"expected the suffix .safetensors, .pt, .pth, .bin, .ckpt, .npz, or of a graph .onnx"),
        ("t.npz", "not a whole .npz of plain arrays"),
        ("text.pt", r"not a plain PyTorch state dict: another kind of file, or a part of one; get a fresh copy, or"),
        ("part.pt", r"not a plain PyTorch state dict: another kind of file, or a part of one; get a fresh copy, or"),
        ("text.npz", r"\(another kind of file, or a part of one\); write it with np.savez"),
        ("list.pt", "expected a state dict, got list"),
        ("two.pt", "expected one state dict, under a key such as state_dict or model_state_dict; got a, b"),
        ("circle.pt", "one that holds itself"),
        ("fifo.pt", "it is no plain file"),
        (".", "it is a folder without"),
        ("net.py", r"is code, and a target is a file of weights: model=.\S*net\.py:function. runs it"),
        ("net.py:make", r"is code, and a target is a file of weights: model=.\S*net\.py:make. runs it"),
        ("t.slth", r"is a ticket, and a target is the trained network .* slth export writes it"),
        ("script.pt", "it is a TorchScript archive, which hides its operators"),
        ("a\0b.pt", r"a\\x00b.pt: no such file"),
    ]:
        with pytest.raises(InputError, match=sentence) as error:
            read_target(tmp_path / name)
        assert "\n" not in str(error.value)
        assert str(error.value).isprintable()


def test_an_example_is_the_one_array_of_a_file(tmp_path):
    """Or the one called x; several others leave open which is meant."""
    x = np.arange(6).reshape(2, 3)
    np.save(tmp_path / "a.npy", x)
    np.savez(tmp_path / "a.npz", tokens=x)
    np.savez(tmp_path / "x.npz", y=x[0], x=x)
    save_file({"x": x}, tmp_path / "a.safetensors")
    for name in ("a.npy", "a.npz", "x.npz", "a.safetensors"):
        assert np.array_equal(read_array(tmp_path / name), x)
    np.savez(tmp_path / "many.npz", a=x, b=x)
    (tmp_path / "broken.npy").write_bytes(b"no")
    for name, match in (
        ("many.npz", "holds 2 arrays; an example is one"),
        ("broken.npy", "not a whole .npy"),
        ("none.npy", "no such file"),
    ):
        with pytest.raises(InputError, match=match):
            read_array(tmp_path / name)
