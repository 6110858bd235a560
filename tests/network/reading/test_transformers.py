"""Transformers are read as they compute: attention, however it is written, is the one op; names are the model's."""

from collections import Counter

import numpy as np
import pytest
import torch
from references.transformers_zoo import OF_LIBRARY, TRANSFORMERS, Attends, Decoder
from torch import nn

from slth import InputError
from slth.graph import Attention, Embedding, Linear, MatMul, Scale, Softmax, Standardise, evaluate, shapes
from slth.network import read_target

SAMPLE = ("decoder", "grouped", "attends_False_True")
NAMES = [pytest.param(name, marks=() if name in SAMPLE else pytest.mark.slow) for name in TRANSFORMERS]
BLOCKS = {"norms": 0, "gpt2": 2, "bert": 2, "vit": 2, "llama": 2, "qwen2": 2, "mistral": 2} | {
    name: 2 for name in TRANSFORMERS if name.startswith("encodes")
}  # others have one
SINGLE = ("llama", "qwen2", "mistral", "t5_encoder")  # which compute their norms in float32, whatever they are in


def kinds(target):
    return Counter(type(node.op) for node in target.graph.nodes)


def seeded(name):
    torch.manual_seed(0)
    return TRANSFORMERS[name]()


def output(model, x):
    with torch.no_grad():
        y = model(x)
    y = y[0] if isinstance(y, tuple) else y
    return y if isinstance(y, torch.Tensor) else y.get("logits", y.get("last_hidden_state"))


@pytest.mark.parametrize("name", NAMES)
def test_a_transformer_is_read_as_it_computes(name):
    """In float64, relative to the largest output; every attention is one op, every map has a tensor of the model."""
    model, x = seeded(name)
    model = model.double().eval()
    target = read_target(model, example=x if not x.is_floating_point() else x.double())
    expected = output(model, x if not x.is_floating_point() else x.double()).numpy()
    found = evaluate(target.graph, target.coefficients, x.double().numpy(), target.carried)
    tolerance = 1e-6 if name in SINGLE else 1e-12
    assert abs(found - expected).max() <= tolerance * abs(expected).max()
    assert shapes(target.graph, x.shape[1:], target.carried)[target.graph.output] == expected.shape[1:]

    count = kinds(target)
    assert count[Attention] == BLOCKS.get(name, 1)
    assert count[MatMul] == count[Softmax] == 0
    assert set(target.names) | set(target.turned) == set(target.graph.maps)
    outputs = ("of the model's 2 outputs last_hidden_state is meant",)
    assert target.assumed == (outputs if name == "bert" else ()) or "hidden" in str(target.assumed)
    state = model.state_dict()
    for path, (weight, _) in [*target.names.items(), *target.turned.items()]:
        own = state[weight].numpy()
        own = own.T if path in target.turned else own
        assert np.array_equal(own.reshape(target.coefficients[path].weight.shape), target.coefficients[path].weight)


@pytest.mark.slow
def test_packed_projections_are_one_map():
    """Queries, keys and values of one matrix: three slices of what one map gives."""
    target = read_target(seeded("gpt2")[0], example=TRANSFORMERS["gpt2"]()[1])
    assert target.turned["transformer.h.0.attn.c_attn"] == (
        "transformer.h.0.attn.c_attn.weight",
        "transformer.h.0.attn.c_attn.bias",
    )
    readers = [node for node in target.graph.nodes if node.inputs == ("transformer.h.0.attn.c_attn",)]
    assert [(node.op.start, node.op.stop) for node in readers] == [(0, 16), (16, 32), (32, 48)]


@pytest.mark.parametrize("first", [True, False])
def test_keys_and_values_of_other_widths_are_read(first):
    """Their projections are three tensors, and their bias is a third of one."""

    class Crossed(nn.Module):
        def __init__(self):
            super().__init__()
            self.k, self.v = nn.Linear(8, 4), nn.Linear(8, 6)
            self.attention = nn.MultiheadAttention(8, 2, batch_first=first, kdim=4, vdim=6)

        def forward(self, x):
            sides = (x, self.k(x), self.v(x))
            sides = sides if first else tuple(side.transpose(0, 1) for side in sides)
            y = self.attention(*sides, need_weights=False)[0]
            return y if first else y.transpose(0, 1)

    torch.manual_seed(0)
    model = Crossed().double().eval()
    target, x = read_target(model, input_shape=(5, 8)), torch.randn(3, 5, 8).double()
    found = evaluate(target.graph, target.coefficients, x.numpy(), target.carried)
    assert abs(found - model(x).detach().numpy()).max() < 1e-14
    widths = {path: op.basis.inputs for path, op in target.graph.maps.items() if path.startswith("attention")}
    own = ("attention.q_proj_weight", "attention.k_proj_weight", "attention.v_proj_weight", "attention.out_proj")
    assert widths == dict(zip(own, (8, 4, 6, 8), strict=True))
    assert kinds(target)[Attention] == 1


@pytest.mark.slow
def test_key_heads_that_are_shared_are_read_where_they_are():
    for name in ("grouped", "llama"):
        model, x = seeded(name)
        target = read_target(model, example=x)
        known = shapes(target.graph, x.shape[1:], target.carried)
        attention = next(node for node in target.graph.nodes if isinstance(node.op, Attention))
        assert [known[value][0] for value in attention.inputs] == [4, 2, 2]


def test_a_causal_mask_is_no_array_and_one_of_large_numbers_is_said():
    target = read_target(Decoder(number=-1e9).eval(), example=torch.zeros(1, 7, dtype=torch.long))
    (op,) = (node.op for node in target.graph.nodes if isinstance(node.op, Attention))
    assert op == Attention(0.5, causal=True)
    assert any("are hidden" in sentence for sentence in target.assumed)


def test_one_output_of_several_is_said():
    said = read_target(Pair().eval(), example=X)
    assert said.assumed == ("of the model's 2 outputs the first is meant",)


X = torch.ones(1, 4)


class Pair(nn.Module):
    """A layer, and what it read."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 2)

    def forward(self, x):
        return self.fc(x), x


def test_gains_of_norms_are_carried_and_a_table_that_is_the_weight_of_a_head_is_read_from_that_map():
    target = read_target(seeded("decoder")[0].eval(), example=torch.zeros(1, 7, dtype=torch.long))
    assert kinds(target)[Standardise] == kinds(target)[Scale] == 2
    assert not target.folded
    (op,) = (node.op for node in target.graph.nodes if isinstance(node.op, Embedding))
    assert op == Embedding("wte", tied=True)
    assert target.graph.maps["wte"].basis.outputs == 50


def test_a_table_of_its_own_is_carried_or_a_map():
    model = Decoder(tied=False).eval()
    carried = read_target(model, example=torch.zeros(1, 7, dtype=torch.long))
    (op,) = (node.op for node in carried.graph.nodes if isinstance(node.op, Embedding))
    assert np.array_equal(carried.carried[op.table], model.wte.weight.detach().numpy())
    made = read_target(model, example=torch.zeros(1, 7, dtype=torch.long), embeddings="ticketed")
    assert made.names["wte"] == ("wte.weight", None)
    assert np.array_equal(made.coefficients["wte"].weight[:, :, 0].T, model.wte.weight.detach().numpy())
    assert next(node.op.map for node in made.graph.nodes if isinstance(node.op, Linear)) == "wte"
    with pytest.raises(InputError, match="unknown embeddings 'tickets'"):
        read_target(model, example=torch.zeros(1, 7, dtype=torch.long), embeddings="tickets")


@pytest.mark.parametrize("factor", [1.0, 4.0])
def test_nothing_is_folded_into_a_table_that_is_a_map(factor):
    """A row for every token, as BERT adds for the first sentence, and a factor: the map is the model's tensor still."""

    class Kinds(nn.Module):
        def __init__(self):
            super().__init__()
            self.words, self.kinds, self.head = nn.Embedding(9, 4), nn.Embedding(2, 4), nn.Linear(4, 2)

        def forward(self, tokens):
            rows = factor * self.words(tokens) + self.kinds(torch.zeros_like(tokens))
            return self.head(nn.functional.layer_norm(rows, (4,)))

    made = read_target(Kinds().eval(), example=torch.arange(5)[None], embeddings="ticketed")
    assert made.names == {"words": ("words.weight", None), "head": ("head.weight", "head.bias")}
    assert not made.folded
    assert kinds(made)[Scale] == 1


def test_what_reads_tokens_is_asked_for_their_number_or_an_example(monkeypatch):
    with pytest.raises(InputError, match=r"first layer \(Decoder\); give an example of the tokens .*, example=FILE"):
        read_target(Decoder().eval())
    monkeypatch.setattr(Decoder, "main_input_name", "input_ids", raising=False)  # as the library does
    asked = r"give how many tokens it reads, input_shape=\(length,\) or, as an example of them, example=FILE"
    with pytest.raises(InputError, match=rf"does not follow from its first layer \(Decoder\); {asked}"):
        read_target(Decoder().eval())
    with pytest.raises(InputError, match=rf"cannot run on inputs of shape \(3, 2, 2\).*; {asked}"):
        read_target(Decoder().eval(), input_shape=(3, 2, 2))
    monkeypatch.setattr(Decoder, "main_input_name", "input_values")
    with pytest.raises(InputError, match="give the shape of its input_values without the batch, as input_shape, or"):
        read_target(Decoder().eval())


@pytest.mark.slow
def test_a_shape_and_an_example_say_the_same():
    """Of a model of the library, which calls its input tokens."""
    torch.manual_seed(0)
    model, tokens = OF_LIBRARY["distilbert"]()
    by_shape, by_example = read_target(model, input_shape=(7,)), read_target(model, example=tokens)
    assert by_shape.graph == by_example.graph


class Sums(nn.Module):
    """A mask that is a layer's own."""

    def __init__(self, mask):
        super().__init__()
        self.fc = nn.Linear(4, 4)
        self.mask = mask

    def forward(self, x):
        x = self.fc(x)
        return nn.functional.scaled_dot_product_attention(x, x, x, attn_mask=self.mask)


EMPTY = torch.tensor([[True, False, True], [False, False, False], [True, True, True]])
REFUSED = {
    "row": (lambda: Sums(EMPTY), torch.ones(1, 3, 4), "hides every key of row 1; expected at least one visible key"),
    "row_added": (
        lambda: Sums(torch.where(EMPTY, 0.0, -torch.inf)), torch.ones(1, 3, 4), "hides every key of row 1",
    ),
    "long": (lambda: Decoder(), torch.zeros(1, 17, dtype=torch.long),
             r"beyond the end of a table \(wte of 50 rows, wpe of 16 rows\).*a shorter one"),
    "token": (lambda: Decoder(), torch.full((1, 7), 50), r"tokens up to 50 .*beyond the end of a table \(wte of 50"),
    "numbers": (lambda: Decoder(), torch.ones(1, 7), "takes indices of an embedding: give tokens, example=integers"),
    "negative": (lambda: Decoder(), torch.full((1, 7), -1), "the example holds -1; expected tokens"),
    "truth": (lambda: Decoder(), torch.ones(1, 7) > 0, "whole numbers as tokens, got torch.bool"),
    "heads": (lambda: Attends(), torch.ones(1, 7, 15), "cannot run on inputs of shape"),
    "hidden": (lambda: Fills(), torch.ones(1, 4), "fills in infinity or NaN where no attention reads it"),
}  # fmt: skip


class Fills(Pair):
    def forward(self, x):
        return self.fc(x).masked_fill(torch.tensor([True, False]), float("-inf"))


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_is_refused(name):
    build, example, match = REFUSED[name]
    with pytest.raises(InputError, match=match):
        read_target(build().eval(), example=example)


class Mixes(nn.Module):
    """Heads and batch merged, and taken apart another way: examples mix."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 4)

    def forward(self, x):
        return self.fc(x).transpose(0, 1).reshape(-1, 4).view(x.shape[0], 3, 4)


def test_examples_that_mix_are_found_out():
    with pytest.raises(InputError, match="differs from the model"):
        read_target(Mixes().eval(), example=torch.ones(1, 3, 4))
