"""Arguments of a wrong type end in one sentence: what was expected, what arrived."""

import json
import subprocess
import sys

import pytest

_CODE = """
import json, sys
import numpy as np
import slth
from slth.api import evaluate
weights = {"weight": np.array([[0.5, -0.25]])}
ticket = slth.construct(weights, input_range=(0, 1), tolerance=0.01)
found = []
for call in json.loads(sys.argv[1]):
    try:
        eval(call)
        found.append("accepted")
    except Exception as error:
        found.append(f"{type(error).__name__}: {error}")
print(json.dumps(found))
"""
_CASES = {
    "slth.construct(weights, input_range=3)": "input_range must be a pair such as (0, 1), got 3 (int)",
    "slth.construct(weights, input_range='0,1')": "input_range must be a pair such as (0, 1), got '0,1' (str)",
    "slth.construct(weights, input_range=(0, 'a'))": "an end of input_range must be an array of numbers, got 'a' (str)",
    "slth.construct(weights, mean=0.5)": "mean and std go together, got only mean; give both or neither",
    "slth.construct(weights, mean='x', std=1)": "mean must be a number or several, such as 0.5 or (0.4, 0.5), got 'x'",
    "slth.construct(weights, mean=0, std=[None])": "std must be a number, got None (NoneType)",
    "slth.construct(weights, mean=[0, 0, 0], std=[1, 1, 1])": "inputs: mean needs 1 or 2",
    "slth.construct(weights, tolerance='small')": "tolerance must be a number such as 0.01, got 'small' (str)",
    "slth.construct(weights, epsilon=[1])": "epsilon must be a number such as 0.01, got [1] (list)",
    "slth.construct(weights, candidates=20.5)": "candidates must be a whole number such as 30, got 20.5 (float)",
    "slth.construct(weights, seed='x')": "seed must be a whole number such as 30, got 'x' (str)",
    "slth.construct(weights, seed=float('inf'))": "seed must be a whole number such as 30, got inf (float)",
    "slth.plan(shape=(5, 2.5))": "shape must be a whole number, got 2.5 (float)",
    "slth.plan(shape={5: 3})": "shape must be whole numbers such as 784,500,10, got {5: 3} (dict)",
    "slth.plan(shape=784)": "shape must be 2 to 1,000 widths from input to output, such as 784,500,10, or a name: "
    "resnet-50, bert-base, bert-large, gpt-3; got 1",
    "slth.plan(weights, relative_tolerance='x')": "relative_tolerance must be a number such as 0.002, got 'x' (str)",
    "slth.plan(weights, candidates='x')": "candidates must be a whole number such as 30, got 'x' (str)",
    "slth.plan(weights, tolerance='small')": "tolerance must be a number such as 0.01, got 'small' (str)",
    "evaluate(ticket, 3)": "data must be a pair such as (x, y) of arrays, or a name such as 'digits', got 3 (int)",
    "evaluate(ticket, (np.zeros((2, 2)),))": "data must be a pair such as (x, y) of arrays, or a name",
    "evaluate(ticket, (['a', 'b'], [0, 0]))": "x must be an array of numbers, got ['a', 'b'] (list)",
    "evaluate(ticket, ([[0, 1], [2]], [0, 0]))": "x must be an array of numbers, got [[0, 1], [2]] (list)",
    "evaluate(3, 'digits')": "expected a ticket or the path of one, such as 'mnist.slth', got 3 (int)",
    "evaluate(ticket, ([[0, 1]], [None]))": "y must be an array of numbers, got [None] (list)",
}


@pytest.fixture(scope="module")
def found():
    """Without the shape checking of these tests, as users call it."""
    done = subprocess.run([sys.executable, "-c", _CODE, json.dumps([*_CASES])], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return dict(zip(_CASES, json.loads(done.stdout), strict=True))


@pytest.mark.parametrize("call", _CASES)
def test_a_wrong_type_is_one_sentence(found, call):
    assert found[call].startswith(f"InputError: {_CASES[call]}")
    assert "\n" not in found[call]
