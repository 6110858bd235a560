"""Models from Python code, with the state dict of a file loaded strictly."""

import sys

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from slth import InputError
from slth.network import load_model, read_target

CODE = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(3, 4), nn.Linear(4, 2)

    def forward(self, x):
        return self.fc2(torch.tanh(self.fc1(x)))

def build():
    return Net()

def fails():
    raise RuntimeError("no\\nweights")

def gives_three():
    return 3

number = 5
ready = Net()
"""


@pytest.fixture
def net(tmp_path):
    path = tmp_path / "my_own_net.py"
    path.write_text(CODE)
    yield path
    sys.modules.pop("my_own_net", None)


def test_a_file_and_a_function(net):
    model = load_model(f"{net}:build")
    assert type(model).__name__ == "Net"
    assert not model.training
    assert list(read_target(model, input_shape=(3,)).graph.maps) == ["fc1", "fc2"]
    assert type(load_model(f"{net}:Net")).__name__ == "Net"


def test_a_module_that_is_there_already(net):
    assert list(read_target(load_model(f"{net}:ready"), input_shape=(3,)).graph.maps) == ["fc1", "fc2"]


def test_a_module_and_a_function():
    assert isinstance(load_model("torch.nn:Identity"), nn.Identity)


@pytest.mark.parametrize("save", ["pt", "checkpoint", "lightning", "safetensors"])
def test_a_state_dict_is_loaded_into_it(net, tmp_path, save):
    torch.manual_seed(5)
    state = {name: torch.randn(tensor.shape) for name, tensor in load_model(f"{net}:build").state_dict().items()}
    path = tmp_path / f"w.{'safetensors' if save == 'safetensors' else 'pt'}"
    wrapped = {
        "pt": state,
        "checkpoint": {"epoch": 3, "model_state_dict": {f"module.{name}": value for name, value in state.items()}},
        "lightning": {"state_dict": {f"model.{name}": value for name, value in state.items()}},
    }
    save_file(state, path) if save == "safetensors" else torch.save(wrapped[save], path)
    model = load_model(f"{net}:build", path)
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda state: state.pop("fc1.bias"), "the file lacks fc1.bias"),
        (lambda state: state.update(extra=torch.ones(1)), "the model has no place for extra"),
        (lambda state: state.update({"fc1.bias": torch.ones(5)}), "size mismatch for fc1.bias"),
    ],
)
def test_a_state_dict_that_does_not_fit_is_refused(net, tmp_path, change, sentence):
    state = dict(load_model(f"{net}:build").state_dict())
    change(state)
    torch.save(state, tmp_path / "w.pt")
    with pytest.raises(InputError, match=f"does not fit the model: .*{sentence}"):
        load_model(f"{net}:build", tmp_path / "w.pt")


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ("net", "expected package.module:function or net.py:function, got 'net'"),
        ("net.py:", "expected package.module:function"),
        ("nowhere.py:build", "cannot load a model from nowhere.py: no such file"),
        ("no.such.module:build", "cannot load a model from no.such.module: ModuleNotFoundError"),
        ("{net}:biuld", "has no function biuld; it has Net, build, fails, gives_three, ready"),
        ("{net}:number", "has no function number"),
        ("{net}:fails", "fails failed: RuntimeError: no"),
        ("{net}:gives_three", "gives int; expected an nn.Module"),
    ],
)
def test_a_model_that_cannot_be_loaded_is_one_sentence(net, spec, sentence):
    with pytest.raises(InputError, match=sentence) as error:
        load_model(spec.format(net=net))
    assert "\n" not in str(error.value)


def test_code_that_does_not_compile_is_one_sentence(tmp_path):
    (tmp_path / "broken.py").write_text("def build(:\n")
    with pytest.raises(InputError, match=r"broken.py: SyntaxError"):
        load_model(f"{tmp_path / 'broken.py'}:build")


def test_code_finds_the_modules_beside_it(net, tmp_path, monkeypatch):
    """And a module is found in the working folder; where Python looks for others is as it was."""
    (tmp_path / "outer_net.py").write_text("from my_own_net import build")
    before = sys.path[:]
    assert type(load_model(f"{tmp_path / 'outer_net.py'}:build")).__name__ == "Net"
    sys.modules.pop("outer_net")
    monkeypatch.chdir(tmp_path)
    assert type(load_model("outer_net:build")).__name__ == "Net"
    sys.modules.pop("outer_net")
    assert sys.path == before
