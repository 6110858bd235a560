"""Tokens: whole numbers that name rows of a table. Which values of a network are some, and how many it knows."""

from dataclasses import dataclass

import numpy as np

from slth._errors import InputError
from slth.graph.bases import OneHot
from slth.graph.nodes import INPUT, Graph, Node, fold
from slth.graph.ops import Concat, Constant, Embedding, Linear, Pad, Permute, Reshape, Slice
from slth.graph.shapes import Carried

MOVES = (Reshape, Permute, Slice, Concat, Pad)  # of which tokens come out as tokens


@dataclass(frozen=True, slots=True)
class _Whole:
    """A value of whole numbers ≥ 0."""

    given: bool  # some are the network's input
    most: int  # the largest of the others, −1 if there are none


def token_count(graph: Graph, carried: Carried) -> int | None:
    """How many tokens a network knows whose input are tokens; None of one that is given numbers.

    The rows of its smallest table: of each `Embedding`, and each map over `OneHot`, that reads the input.

    Raises:
        InputError: rows that are looked up by what is no token, or by one that the table does not have; an input that
            is read both as tokens and as numbers.

    >>> from slth.graph import Dense
    >>> head = Node("head", Linear("head", Dense(2, 3), False), ("rows",))
    >>> token_count(Graph((Node("rows", Embedding("head", tied=True), (INPUT,)), head)), {})
    3
    """
    counts = list[int]()
    as_numbers = list[Node]()

    def step(node: Node, values: tuple[_Whole | None, ...]) -> _Whole | None:
        rows = rows_of(node, graph, carried)
        if rows is not None:
            _check_rows(node, values[0], rows)
            counts.extend([rows] if values[0] is not None and values[0].given else [])
            return None
        if isinstance(node.op, Constant):
            return _constant(carried[node.op.value])
        if isinstance(node.op, MOVES):
            return _moved(node.op, values)
        if any(value is not None and value.given for value in values):
            as_numbers.append(node)
        return None

    if any(rows_of(node, graph, carried) is not None for node in graph.nodes):
        fold(graph, _Whole(True, -1), step)
    if counts and as_numbers:
        node = as_numbers[0]
        raise InputError(f"{node.name} ({type(node.op).__name__}) reads as numbers what the network looks up as tokens")
    return min(counts, default=None)


def rows_of(node: Node, graph: Graph, carried: Carried) -> int | None:
    """Rows of the table that a node looks up in; None of a node that looks nothing up."""
    match node.op:
        case Linear(basis=OneHot(inputs=count)):
            return count
        case Embedding(tied=True):
            return graph.maps[node.op.table].basis.outputs
        case Embedding():
            return carried[node.op.table].shape[0]
        case _:
            return None


def _check_rows(node: Node, value: _Whole | None, rows: int) -> None:
    if value is None:
        read = "its input" if node.inputs == (INPUT,) else f"what {node.inputs[0]} gives"
        raise InputError(f"{node.name} looks rows up by {read}, which are no tokens: expected whole numbers from 0")
    if value.most >= rows:
        raise InputError(f"{node.name} looks up row {value.most} of {rows}; expected tokens from 0 to {rows - 1}")


def _constant(array: np.ndarray) -> _Whole | None:
    whole = array.size and bool((array >= 0).all()) and bool((array == np.floor(array)).all())
    return _Whole(False, int(array.max())) if whole else None


def _moved(op: Reshape | Permute | Slice | Concat | Pad, values: tuple[_Whole | None, ...]) -> _Whole | None:
    known = [value for value in values if value is not None]
    if isinstance(op, Pad):
        if op.value < 0 or op.value != int(op.value):
            return None
        known = [*known, _Whole(False, int(op.value))]
    if len([value for value in values if value is not None]) < len(values):
        return None
    return _Whole(any(value.given for value in known), max(value.most for value in known))
