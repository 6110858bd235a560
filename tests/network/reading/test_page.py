"""docs/reading.md says what is read: its lists are the reader's own tables, its activations are tried."""

import re
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn.modules import activation

from slth import InputError
from slth.network import read_target
from slth.network.reading.onnx.operators import OPERATORS as ONNX
from slth.network.reading.onnx.operators.maps import NORMALISES
from slth.network.reading.operators import OPERATORS
from slth.network.reading.operators.choices import JUMPS

PAGE = (Path(__file__).parents[3] / "docs" / "reading.md").read_text()
REFUSED = {*JUMPS.split(), "native_dropout", "_native_batch_norm_legit"}  # known, so that a sentence says why not


def section(title):
    return PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]


def rows(text):
    """The cells of a table, without its head."""
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"][2:]


def code(text):
    return re.findall(r"`([^`]+)`", text)


def test_the_operators_of_the_page_are_those_of_the_reader():
    named = [name for row in rows(section("Operators")) for name in code(row[1])]
    assert len(named) == len(set(named))
    assert set(named) == {name.partition(".")[0] for name in OPERATORS} - REFUSED


def test_the_operators_of_onnx_on_the_page_are_those_of_its_reader():
    named = [name for row in rows(section("ONNX")) for name in code(row[1])]
    assert len(named) == len(set(named))
    assert set(named) == set(ONNX) - set(NORMALISES)


def test_what_is_known_to_be_refused_is_no_part_of_the_lists():
    listed = {name for row in rows(section("Operators")) for name in code(row[1])}
    assert not listed & REFUSED
    assert {name for name in JUMPS.split() if f"{name}.default" in OPERATORS} == set(JUMPS.split())


def test_every_activation_of_pytorch_stands_on_the_page_once():
    named = [name for row in rows(section("Activations of torch.nn")) for name in code(row[0])]
    assert sorted(named) == sorted(activation.__all__)


ARGUMENTS = {"Threshold": (0.1, 0.1), "Softmax": (1,), "Softmin": (1,), "LogSoftmax": (1,), "GLU": (1,)}


@pytest.mark.parametrize("row", rows(section("Activations of torch.nn")), ids=lambda row: code(row[0])[0])
def test_activations_are_read_or_refused_as_the_page_says(row):
    for name in code(row[0]):
        torch.manual_seed(0)
        attention = name == "MultiheadAttention"
        function = nn.MultiheadAttention(4, 2) if attention else getattr(nn, name)(*ARGUMENTS.get(name, ()))
        image = name == "Softmax2d"
        model = nn.Sequential(nn.Conv2d(2, 4, 1) if image else nn.Linear(4, 4), function).eval()
        if row[1].startswith("refused"):
            with pytest.raises(InputError):
                read_target(model, input_shape=(4,))
            continue
        nodes = read_target(model, input_shape=(2, 3, 3) if image else (4,)).graph.nodes
        assert len(nodes) == 2 or "one function" not in row[1]


def test_the_page_is_linked_and_in_the_changelog():
    root = Path(__file__).parents[3]
    assert "docs/reading.md" in (root / "README.md").read_text()
    assert "docs/reading.md" in (root / "CHANGELOG.md").read_text()
