"""A reader of VNN-LIB 1 that shares nothing with `slth`: SMT-LIB's brackets, comments and decimals, in fractions.

Kept to what properties about boxes are made of: `(declare-const NAME Real)`, and `(assert ...)` of a comparison of a
variable and a number, or of an `or` of `and`s of these.
"""

import re
from fractions import Fraction
from typing import NamedTuple


class Property(NamedTuple):
    """Ends of X_0, X_1, ...; how many Y there are; the alternatives, each a list of (sign, variable, number)."""

    lower: list
    upper: list
    outputs: int
    alternatives: list


def read(text):
    """The property that a file states; anything else is an AssertionError."""
    text = re.sub(r";[^\n]*", "", text)
    assert text.isascii()
    tokens = re.findall(r"[()]|[^\s()]+", text)
    declared, ends, alternatives = [], {"<=": {}, ">=": {}}, None
    while tokens:
        head, *rest = _expression(tokens)
        if head == "declare-const":
            name, sort = rest
            assert sort == "Real"
            assert name not in declared
            declared.append(name)
            continue
        assert head == "assert"
        (claim,) = rest
        if claim[0] == "or":
            assert alternatives is None
            alternatives = [[_comparison(part, declared) for part in _conjunction(each)] for each in claim[1:]]
        else:
            sign, name, number = _comparison(claim, declared)
            assert name not in ends[sign]
            ends[sign][name] = number
    inputs = [name for name in declared if name.startswith("X_")]
    outputs = [name for name in declared if name.startswith("Y_")]
    assert declared == [f"X_{i}" for i in range(len(inputs))] + [f"Y_{i}" for i in range(len(outputs))]
    assert set(ends["<="]) == set(ends[">="]) == set(inputs)
    lower, upper = ([ends[sign][name] for name in inputs] for sign in (">=", "<="))
    return Property(lower, upper, len(outputs), alternatives)


def _expression(tokens):
    """The next expression, taken off the tokens."""
    token = tokens.pop(0)
    if token != "(":
        assert token != ")"
        return token
    found = []
    while tokens[0] != ")":
        found.append(_expression(tokens))
    tokens.pop(0)
    return found


def _conjunction(claim):
    head, *parts = claim
    assert head == "and"
    return parts


def _comparison(claim, declared):
    sign, name, number = claim
    assert sign in ("<=", ">=")
    assert name in declared
    assert re.fullmatch(r"-?\d+\.\d+", number), number
    return sign, name, Fraction(number)
