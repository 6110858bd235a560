"""Names and things that are no files: one sentence from every function, at once."""

import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.tickets import any_ticket
from safetensors.numpy import save_file
from torch import nn

import slth
from slth import InputError, sweeps
from slth.network import read_tensors
from slth.records import read

STATE = {"0.weight": np.ones((1, 2), np.float32)}
NUL = "a\0b"


def learned(**places):
    return slth.search("mlp", training={"epochs": 1}, **places)


def construct(**places):
    return slth.construct(STATE, input_range=(0, 1), tolerance=0.05, **places)


WRITING = {
    "save": lambda name: slth.save(any_ticket()[0], name),
    "export": lambda name: slth.export(any_ticket()[0], f"{name}.safetensors"),
    "report": lambda name: slth.report("t.slth", f"{name}.html"),
    "picture": lambda name: slth.show(any_ticket()[0], weight=(0, 0, 0), picture=f"{name}.svg"),
    "train": lambda name: slth.train(out=f"{name}.safetensors"),
    "checkpoint": lambda name: learned(checkpoint=name),
    "logs": lambda name: learned(logs=name),
    "resume": lambda name: construct(resume=name),
}
READING = {
    "load": slth.load,
    "verify": slth.verify,
    "source": lambda name: construct(source=name),
    "target": lambda name: slth.construct(f"{name}.pt"),
    "data": lambda name: slth.evaluate(any_ticket()[0], f"{name}.npz"),
    "report": lambda name: slth.report(name, "page.html"),
    "records": lambda name: list(read(name)),
    "recipe": sweeps.read_recipe,
    "onnx": lambda name: slth.construct(f"{name}.onnx"),
    "model": lambda name: slth.construct(None, model=f"{name}.py:make"),
    "save": lambda name: slth.save(any_ticket()[0], name),
    "checkpoint": lambda name: learned(checkpoint=name),
}


def refused(call, name):
    with pytest.raises(InputError) as caught:
        call(name)
    assert "\n" not in str(caught.value)
    assert "cannot" in str(caught.value) or "expected" in str(caught.value)


@pytest.mark.parametrize("door", WRITING)
def test_a_name_that_no_file_can_have_is_one_sentence(door, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    slth.save(any_ticket()[0], "t.slth")
    refused(WRITING[door], NUL)
    assert os.listdir() == ["t.slth"]


@pytest.mark.skipif(sys.platform == "win32", reason="pipes of POSIX")
@pytest.mark.parametrize("door", READING)
def test_nobody_waits_for_a_pipe(door, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for suffix in ("", ".pt", ".npz", ".onnx", ".py"):
        os.mkfifo(f"p{suffix}")
    refused(READING[door], "p")


def test_a_folder_of_save_pretrained_is_read(tmp_path):
    """In one file, or in several with an index."""
    state = {name: tensor.numpy() for name, tensor in nn.Linear(3, 2).state_dict().items()}
    shards = {f"model-{i}.safetensors": {name: state[name]} for i, name in enumerate(state)}
    for shard, part in shards.items():
        save_file(part, tmp_path / shard)
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {name: shard for shard, part in shards.items() for name in part}}))
    assert {name: array.tolist() for name, array in read_tensors(tmp_path).items()} == {
        name: array.tolist() for name, array in state.items()
    }
    for broken in ('{"weight_map": {"a": "../x.safetensors"}}', "[]", "{}", "", '{"weight_map": {"a": 3}}'):
        index.write_text(broken)
        with pytest.raises(InputError, match="does not say which tensor is in which file"):
            read_tensors(tmp_path)
    index.unlink()
    torch.save({name: torch.from_numpy(array) for name, array in state.items()}, tmp_path / "pytorch_model.bin")
    assert list(slth.construct(tmp_path, input_range=(0, 1), tolerance=0.1).maps) == ["layers/0"]
    (tmp_path / "config.json").write_text('{"model_type": "mine"}')
    with pytest.raises(InputError, match="architectures"):  # of what kind it is stands nowhere
        slth.construct(tmp_path, input_range=(0, 1), tolerance=0.1)
    (tmp_path / "pytorch_model.bin").unlink()
    with pytest.raises(InputError, match=r"it is a folder without model\.safetensors or pytorch_model\.bin"):
        read_tensors(tmp_path)


def test_every_package_is_a_package_by_every_way_of_importing_it():
    """`import slth.PACKAGE as P` takes the attribute: a verb of the same name would stand in its place."""
    folders = [path.name for path in Path(slth.__file__).parent.iterdir() if (path / "__init__.py").is_file()]
    assert len(folders) > 12
    code = "\n".join(
        f"import slth.{name} as P\nassert P.__name__ == 'slth.{name}' and P.__path__, P" for name in folders
    )
    done = subprocess.run([sys.executable, "-c", f"import slth\n{code}\n{code}"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert all(import_module(f"slth.{name}").__name__ == f"slth.{name}" for name in folders)
