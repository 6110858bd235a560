"""Reading takes one copy of a network in float64 and one map; operators that need no decomposing are not decomposed."""

import subprocess
import sys
import tracemalloc
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from references.zoo import Does, trained
from torch import fx, nn

from slth import InputError
from slth.network import read_target
from slth.network.reading import exporting, modules
from slth.ticket import network_digest


class Block(nn.Module):
    """A residual block as torchvision writes them: everything in place."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, x):
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        y += x
        return self.relu(y)


def residual():
    head = nn.Conv2d(3, 6, 3, bias=False), nn.BatchNorm2d(6), nn.SiLU(inplace=True), nn.MaxPool2d(2)
    return nn.Sequential(*head, Block(6), Block(6), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 4))


def seen_through(x):
    """A value that is overwritten while another name for it is read."""
    other = x.flatten(1)
    torch.relu_(x)
    return other + x


PLAIN = {
    "residual": (residual, (3, 12, 12)),
    "dense": (lambda: nn.Sequential(nn.Flatten(), nn.Linear(12, 5), nn.ReLU(), nn.Linear(5, 3)), (3, 2, 2)),
    "relu6": (lambda: nn.Sequential(nn.Linear(4, 5), nn.Hardtanh(0, 6, inplace=True), nn.Linear(5, 3)), (4,)),
    "tanh": (lambda: nn.Sequential(nn.Conv1d(2, 3, 3), nn.Tanh(), nn.BatchNorm1d(3), nn.Sigmoid()), (2, 9)),
}
OTHERS = {
    "another name": (lambda: Does(lambda s, x: seen_through(s.fc(x)), fc=nn.Linear(4, 5)), (4,)),
    "a view": (lambda: Does(lambda s, x: torch.relu_(s.fc(x).flatten(1)), fc=nn.Linear(4, 5)), (4,)),
}


OPERATORS = {
    "abs": lambda h: h.abs(),
    "clamp": lambda h: h.clamp(-1, 2),
    "div": lambda h: h / 3,
    "einsum": lambda h: torch.einsum("bi,ij->bj", h, torch.ones(5, 5)),
    "elu": nn.functional.elu,
    "embedding": lambda h: nn.functional.embedding((h > 0).to(torch.int64) * 1, torch.eye(2)),
    "erf": torch.erf,
    "exp": torch.exp,
    "gelu": nn.functional.gelu,
    "hardsigmoid": nn.functional.hardsigmoid,
    "hardswish": nn.functional.hardswish,
    "layer_norm": lambda h: nn.functional.layer_norm(h, (5,)),
    "leaky_relu": nn.functional.leaky_relu,
    "masked_fill": lambda h: h.masked_fill(h < 0, 0.0),
    "max": lambda h: torch.max(h, -h),
    "maximum": lambda h: torch.maximum(h, -h),
    "minimum": lambda h: torch.minimum(h, -h),
    "mul": lambda h: h * 2,
    "neg": lambda h: -h,
    "pow": lambda h: h**2,
    "reciprocal": lambda h: h.reciprocal(),
    "relu6": nn.functional.relu6,
    "rsub": lambda h: 1 - h,
    "attention": lambda h: nn.functional.scaled_dot_product_attention(h[:, None], h[:, None], h[:, None]),
    "sign": torch.sign,
    "softmax": lambda h: h.softmax(1),
    "softplus": nn.functional.softplus,
    "square": torch.square,
    "sub": lambda h: h - 2,
    "threshold": lambda h: nn.functional.threshold(h, 0, 0),
    "where": lambda h: torch.where(h > 0, h, torch.zeros_like(h)),
}


def read_or_refused(model, shape):
    try:
        found = read_target(model, input_shape=shape)
    except InputError as error:
        return str(error)
    return found.graph, found.names, found.assumed, network_digest(found, shape)


@pytest.mark.slow
def test_decompositions_leave_operators_as_they_are():
    """All that are called plain but those of the networks above."""
    model = Does(lambda s, x: tuple(does(s.fc(x)) for does in OPERATORS.values()), fc=nn.Linear(4, 5)).eval()
    program = torch.export.export(model, (torch.randn(2, 4),), dynamic_shapes=({0: torch.export.Dim.DYNAMIC},))

    def plain(program):
        return Counter(node.target for node in program.graph.nodes if node.target in exporting.PLAIN)

    assert plain(program) == plain(program.run_decompositions({}))
    others = {str(operator).split(".")[1] for operator in exporting.PLAIN - exporting.NEW - {*plain(program)}}
    assert others == {"adaptive_avg_pool2d", "flatten", "sigmoid", "tanh"}


@pytest.mark.slow
@pytest.mark.parametrize("name", OPERATORS)
def test_an_operator_is_read_the_same_way_whether_it_is_decomposed_or_not(name, monkeypatch):
    """Or refused in the same words."""
    model = trained(Does(lambda s, x: s.last(OPERATORS[name](s.fc(x))), fc=nn.Linear(4, 5), last=nn.Identity()))
    found = read_or_refused(model, (4,))
    monkeypatch.setattr(exporting, "_plain", lambda _: False)
    assert found == read_or_refused(model, (4,))


@pytest.mark.parametrize("name", [*PLAIN, *OTHERS])
def test_a_network_is_the_same_whether_it_is_decomposed_or_not(name, monkeypatch):
    """Nodes, names, numbers, whatever the model overwrites; and `check_same` has compared both with the model."""
    make, shape = (PLAIN | OTHERS)[name]
    torch.manual_seed(0)
    model, asked, plain = trained(make()), [], exporting._plain
    monkeypatch.setattr(exporting, "_plain", lambda program: asked.append(plain(program)) or asked[-1])
    found = read_target(model, input_shape=shape)
    monkeypatch.setattr(exporting, "_plain", lambda _: False)
    wanted = read_target(model, input_shape=shape)
    assert asked == [name in PLAIN]
    assert (found.graph, found.names, found.assumed) == (wanted.graph, wanted.names, wanted.assumed)
    assert network_digest(found, shape) == network_digest(wanted, shape)


def test_a_value_may_be_overwritten_any_number_of_times():
    """3,000 sums in one value, as a loop over layers writes them: no recursion as deep as that."""
    graph = fx.Graph()
    x, weight = graph.placeholder("x"), graph.placeholder("weight")
    value = graph.call_function(torch.ops.aten.linear.default, (x, weight))
    for _ in range(3000):
        value = graph.call_function(torch.ops.aten.add_.Tensor, (value, x))
    graph.output(value)
    assert exporting._plain(SimpleNamespace(graph=graph))
    assert Counter(node.target for node in graph.nodes)[torch.ops.aten.add.Tensor] == 3000


MEASURED = """
import torch
from torch import nn
from slth import InputError
from slth.network import read_target

def peak():  # getrusage begins with what the process was forked from
    return int(open("/proc/self/status").read().partition("VmHWM:")[2].split()[0])

def net(width, layers):
    parts = [part for _ in range(layers) for part in (nn.Linear(width, width), nn.ReLU())]
    return nn.Sequential(*parts[:-1])

read_target(net(8, 10))  # what is loaded on use is there
model = net(1024, 10)
before = peak()
read_target(model)
print((peak() - before) * 1024 / (10 * 8 * 1024**2))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read where Linux says it")
def test_reading_takes_one_copy_in_float64_and_a_map():
    """In copies of the whole network, of which a map is a tenth. Before: 4.5."""
    found = subprocess.run([sys.executable, "-c", MEASURED], capture_output=True, text=True, check=True)
    assert 1 <= float(found.stdout) < 1.6


def test_a_head_that_is_the_table_of_tokens_is_compared_where_it_lies(monkeypatch):
    """4,200 x 256: to tie them, to name the map, to see that it is one, no copy of 8.6 MB is made, nor half of one."""
    table, head = nn.Embedding(4200, 256), nn.Linear(256, 4200, bias=False)
    head.weight = table.weight
    peaks = {}

    def traced(name, work):
        def run(*arguments, **more):
            tracemalloc.start()
            found = work(*arguments, **more)
            _, peaks[name] = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            return found

        return run

    for name in ("tie_tables", "target_of"):
        monkeypatch.setattr(modules, name, traced(name, getattr(modules, name)))
    target = read_target(nn.Sequential(table, nn.Tanh(), head), example=np.zeros((1, 3), np.int64))
    assert list(target.names.values()) == [("0.weight", None)]
    assert list(peaks) == ["tie_tables", "target_of"]
    assert max(peaks.values()) < 8 * 4200 * 256 / 2
