"""Inputs that are tokens: what they are, where a network takes them, what is refused, in one sentence."""

from dataclasses import replace

import numpy as np
import pytest
from helpers.graph_tickets import graph_ticket
from helpers.version2_files import parts, sealed

from slth import InputError
from slth.graph import (
    INPUT,
    Add,
    Attention,
    Constant,
    Dense,
    Embedding,
    Graph,
    Linear,
    Node,
    OneHot,
    Reshape,
    Scale,
    shapes,
    token_count,
)
from slth.ticket import Inputs, TicketError, decode, encode

HEAD = Node("head", Linear("head", Dense(4, 7), True), ("rows",))


def looked_up(op, *before):
    """A network whose rows come from the last of some nodes, or from the input."""
    return Graph((*before, Node("rows", op, (before[-1].name if before else INPUT,)), HEAD))


def test_tokens_are_whole_numbers_below_their_count():
    inputs = Inputs((3,), tokens=7)
    assert (inputs.box.lower == 0).all()
    assert (inputs.box.upper == 6).all()
    assert inputs.box.shape == (3,)
    assert not inputs.negative.any()
    assert inputs.words == "3 tokens, each from 0 to 6"
    for kind in (np.uint8, np.int64, np.float32):
        found = inputs.normalised(np.array([[0, 6, 2]], kind))
        assert found.dtype == np.int64
        assert found.tolist() == [[0, 6, 2]]


BAD = [([[0, 7, 1]], "0 to 7"), ([[-1, 0, 1]], "-1 to 1"), ([[0.5, 1, 1]], "float64 that are not whole numbers")]


@pytest.mark.parametrize(
    ("x", "got"), [*BAD, ([[np.nan, 1, 1]], "float64 that are not whole numbers"), ([[np.inf, 1, 1]], "1.0 to inf")]
)
def test_what_is_no_token_is_refused(x, got):
    with pytest.raises(InputError, match=rf"takes tokens, integers from 0 to 6; got {got}.*right tokenizer\?"):
        Inputs((3,), tokens=7).normalised(np.array(x))


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"tokens": 0}, "expected 1 to 16,777,216 tokens, got 0"),
        ({"tokens": 2**24 + 1}, "got 16,777,217"),
        ({"tokens": 7, "lower": (0.0,), "upper": (6.0,)}, "inputs that are tokens have no lower"),
        ({"tokens": 7, "mean": (0.0,), "std": (6.0,)}, "inputs that are tokens have no mean"),
    ],
)
def test_of_tokens_nothing_else_is_said(members, said):
    with pytest.raises(InputError, match=said):
        Inputs((3,), **members)


def test_a_network_knows_the_tokens_of_its_smallest_table():
    carried = {"words": np.ones((9, 4)), "kinds": np.ones((2, 4)), "zeros": np.zeros(3)}
    assert token_count(looked_up(Embedding("words")), carried) == 9
    assert token_count(looked_up(Embedding("head", tied=True)), carried) == 7
    assert token_count(looked_up(Linear("words", OneHot(5, 4), False)), carried) == 5
    assert token_count(looked_up(Embedding("words"), Node("row", Reshape((3, 1)), (INPUT,))), carried) == 9
    kinds = Node("zeros", Constant("zeros"), ()), Node("kinds", Embedding("kinds"), ("zeros",))
    words = Node("words", Embedding("words"), (INPUT,))
    both = Graph((*kinds, words, Node("rows", Add((1.0, 1.0)), ("words", "kinds")), HEAD))
    assert token_count(both, carried) == 9  # what is carried names rows of the smaller one
    assert token_count(Graph((replace(HEAD, inputs=(INPUT,)),)), carried) is None
    numbers = Graph((*kinds, Node("rows", Add((1.0, 1.0)), (INPUT, "kinds")), HEAD))
    assert token_count(numbers, carried) is None


def test_rows_are_looked_up_by_tokens_alone():
    carried = {"words": np.ones((2, 4)), "g": np.ones(3), "three": np.full(3, 2.0), "half": np.full(3, 0.5)}
    for nodes, said in (
        ((Node("g", Scale(0, "g", None), (INPUT,)),), "rows looks rows up by what g gives, which are no tokens"),
        ((Node("c", Constant("three"), ()),), "rows looks up row 2 of 2; expected tokens from 0 to 1"),
        ((Node("c", Constant("half"), ()),), "rows looks rows up by what c gives, which are no tokens"),
    ):
        with pytest.raises(InputError, match=said):
            token_count(looked_up(Embedding("words"), *nodes), carried)
    graph = looked_up(Embedding("words"))
    twice = Graph((*graph.nodes, Node("g", Scale(0, "g", None), (INPUT,)), Node("out", Reshape((3,)), ("g",))))
    with pytest.raises(InputError, match=r"g \(Scale\) reads as numbers what the network looks up as tokens"):
        token_count(twice, carried)


def token_file():
    """A file of a network that takes tokens, and its ticket."""
    ticket = next(t for t in (graph_ticket(seed)[0] for seed in range(3, 40, 4)) if t.inputs.tokens)
    return parts(encode(ticket)), ticket


def test_a_file_says_tokens_in_one_way():
    """Below the count that the network knows, or as many; no range beside them."""
    (meta, *body), ticket = token_file()
    assert meta["inputs"] == {"shape": [5], "tokens": 7}
    fewer = decode(sealed({**meta, "inputs": {"shape": [5], "tokens": 2}}, *body))
    assert fewer.inputs == Inputs((5,), tokens=2)
    known = token_count(ticket.network, ticket.carried)
    none = {"mean": None, "std": None}
    for inputs, said in (
        ({"shape": [5], "tokens": known + 1}, f"knows {known} tokens, the inputs are any of {known + 1}"),
        ({"shape": [5], "lower": [0.0], "upper": [1.0], **none}, "the network takes tokens, of which it knows"),
        ({"shape": [5], "tokens": 7, **none}, "inputs: "),
        ({"shape": [5], "tokens": 7.0}, "inputs.tokens"),
        ({"shape": [5], "tokens": 0}, "inputs.tokens"),
    ):
        with pytest.raises(TicketError, match=said):
            decode(sealed({**meta, "inputs": inputs}, *body))


def test_a_row_of_attention_sees_a_key():
    """By the mask and by being causal together; of large logits nothing is allocated to find out."""
    op = Attention(1.0, causal=True, visible="mask")
    nodes = [Node("q", Linear("q", Dense(2, 2), False), (INPUT,)), Node("y", op, ("q", "q", "q"))]
    graph = Graph(tuple(nodes))
    mask = np.tri(3)
    assert shapes(graph, (3, 2), {"mask": mask})["y"] == (3, 2)
    mask[1] = [0, 0, 1]  # later than itself
    with pytest.raises(InputError, match="y: a mask hides every key of row 1; expected at least one visible key"):
        shapes(graph, (3, 2), {"mask": mask})
    large = np.broadcast_to(np.ones(()), (2**29, 2**29))
    assert shapes(graph, (2**29, 2), {"mask": large})["y"] == (2**29, 2)
