"""Sentences speak the language of the caller: options of the command line there, keyword arguments in Python."""

import ast
import re
from pathlib import Path

import numpy as np
import pytest

import slth
from slth import InputError
from slth._errors import command_line, spoken

SOURCE = Path(__file__).parents[1] / "src" / "slth"
HELP = ("cli", "records/verbs", "reporting")  # what only the command line and pages print


def sentences():
    """Every text of the code that names an option of slth, beside help."""
    for path in sorted(SOURCE.rglob("*.py")):
        if not str(path.relative_to(SOURCE)).startswith(HELP):
            tree = ast.parse(path.read_text())
            documents = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
            texts = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and node not in documents)
            for text in (node.value for node in texts if isinstance(node.value, str)):
                if re.search(r"(^| )--[a-z]", text) and "torchrun" not in text:
                    yield text


def test_no_sentence_names_an_option_of_the_command_line_in_python():
    found = list(sentences())
    assert len(found) > 30
    for sentence in found:
        assert not re.search(r"(^| )--[a-z]", spoken(sentence)), sentence
        with command_line():
            assert spoken(sentence) == sentence


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            lambda: slth.construct({"b.weight": np.ones((8, 8)), "a.weight": np.ones((8, 8))}, tolerance=0.1),
            'give it: order=["a", "b", "c"]',
        ),
        (lambda: slth.evaluate("t", "mnist", data_dir="/nowhere"), None),
        (lambda: slth.construct({"0.weight": np.ones((1, 2))}, epsilon=0.1), "give input_range=(lo, hi) or data=NAME"),
        (lambda: slth.export("t", "x.onnx", difference=True), "target=F"),
    ],
)
def test_a_refusal_in_python_names_arguments(call, said):
    with pytest.raises(InputError) as caught:
        call()
    assert said is None or said in str(caught.value)
    assert "--" not in str(caught.value)


def test_a_name_with_dashes_is_no_option():
    assert spoken("cannot read my--file or a--b: no such file") == "cannot read my--file or a--b: no such file"
    assert spoken("cannot read --seed.slth: no such file") == "cannot read --seed.slth: no such file"
