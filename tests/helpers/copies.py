"""Small networks whose channels can stand there in copies, and random plain weights that read them."""

import itertools

import numpy as np

from helpers.graphs import Draft
from slth.construction import Request, construct
from slth.graph import (
    Add,
    Affine,
    AxisMap,
    AxisMatrix,
    Concat,
    Graph,
    MaxPool,
    Pad,
    Permute,
    Pointwise,
    Realised,
    Reshape,
    Slice,
    Target,
    chain,
    evaluate,
    read_together,
    signed_inputs,
)
from slth.ticket import Inputs

KINDS = ("dense", "plain", "pools", "residual", "projection", "concat", "transposed", "moved", "leaky", "linear")


def network(kind, seed=0):
    """A network of a kind, with weights."""
    rng = np.random.default_rng(seed)
    draft = Draft(rng, (3,) if kind == "dense" else (2, 6, 6))
    if kind == "dense":
        draft.dense(4)
        draft.add(Pointwise("Relu"))
        draft.dense(3)
        draft.add(Pointwise("Clip", low=0.0, high=6.0))
        draft.dense(2)
        return _target(draft)
    draft.conv(2, same=True)
    start = draft.add(Pointwise("LeakyRelu", alpha=0.1) if kind == "leaky" else Pointwise("Relu"))
    if kind == "linear":
        start = draft.conv(2, same=True)
    if kind == "pools":
        draft.add(MaxPool((2, 2), (2, 2), (0,) * 4, (1, 1)))
        draft.add(AxisMap((AxisMatrix(1, "mean", length=2), AxisMatrix(2, "nearest", length=5))))
    if kind in ("residual", "projection"):
        branch = draft.conv(2, same=True)
        draft.end = start
        skip = start if kind == "residual" else draft.conv(2, same=True)
        draft.add(Add((1.0, 0.5)), branch, skip)
        draft.add(Pointwise("Relu"))
    if kind == "concat":
        left = draft.conv(2, same=True)
        draft.add(Concat(0), left, start)
        draft.add(Slice(0, 1, 4))
    if kind == "transposed":
        draft.transposed()
        draft.add(Slice(1, 0, 5, 2))
    if kind == "moved":
        draft.add(Permute((2, 0, 1)))
        draft.add(Permute((1, 2, 0)))
        draft.add(Pad((1, 0, 1, 0, 2, 0), 0.5))
        draft.conv(2, same=True)
    if kind in ("moved", "plain"):
        draft.add(Reshape((int(np.prod(draft.shape)),)))
        draft.dense(6)
        draft.add(Pointwise("Relu"))
        draft.add(Reshape((2, 3, 1)))
        draft.conv(2, same=True)
        draft.add(Pointwise("Relu"))
    draft.add(Reshape((int(np.prod(draft.shape)),)))
    draft.dense(3)
    return _target(draft)


def _target(draft):
    rng, graph = draft.rng, Graph(tuple(draft.nodes))
    coefficients = {
        path: Affine(
            rng.normal(size=op.coefficients) / np.sqrt(op.basis.inputs * op.basis.taps / op.basis.groups),
            rng.normal(size=op.basis.outputs) if op.bias else None,
        )
        for path, op in graph.maps.items()
    }
    return Target(graph, coefficients, draft.shapes["input"], draft.carried)


def reads(target, copies=3):
    """As many copies for the first maps that are read together, one more for the next, ..."""
    return {path: copies + i for i, group in enumerate(read_together(target.graph)) for path in group}


def plain_weights(wide, seed=0, *, off=0.0, lower=0.0):
    """What might have been realised of a target with copies: weights whose sums over copies are off by a normal number.

    off: its standard deviation; single copies are of size 1.
    """
    rng = np.random.default_rng(seed)
    negative = np.full(wide.input_shape, lower < 0)
    found = {}
    for path, signed in signed_inputs(wide.graph, wide.input_shape, negative, wide.carried).items():
        affine, copies = wide.coefficients[path], wide.copies.get(path, 1)
        rows, inputs, taps = affine.weight.shape
        p = rng.normal(size=(rows, inputs // copies, copies, taps))
        wanted = affine.weight.reshape(p.shape).sum(axis=2) + off * rng.normal(size=p[:, :, 0].shape)
        p[:, :, -1] = wanted - p[:, :, :-1].sum(axis=2)
        p = p.reshape(affine.weight.shape)
        bias = None if affine.bias is None else affine.bias + off * rng.normal(size=affine.bias.shape)
        found[path] = Realised(p, np.where(signed[:, None], -p, 0.0) if signed.any() else None, bias, signed)
    return found


def constructed(target, *, objective="fewest", tolerance=0.01, lower=0.0, **options):
    """A ticket of a network in copies, over inputs from `lower` to 1."""
    asked = Request(gadget="copies", objective=objective, tolerance=tolerance, **options)
    return construct(target, asked, inputs=Inputs(target.input_shape, lower=(lower,), upper=(1.0,)))


def relu_chain(widths, seed=0):
    """Dense maps with ReLU between them, He weights and small biases."""
    rng = np.random.default_rng(seed)
    return chain(
        [
            Affine(rng.normal(size=(after, before, 1)) * np.sqrt(2 / before), 0.1 * rng.normal(size=after))
            for before, after in itertools.pairwise(widths)
        ]
    )


def worst_error(ticket, target, count, *, batch=5000, seed=0):
    """By output the largest |f - f̂| that random points and corners of the box show."""
    rng, box = np.random.default_rng(seed), ticket.inputs.box
    realised = {path: ticket.realised(path) for path in ticket.maps}
    found = 0.0
    for start in range(0, count, batch):
        x = rng.uniform(box.lower, box.upper, (min(batch, count - start), *target.input_shape))
        x[::2] = np.where(rng.random(x[::2].shape) < 0.5, box.lower, box.upper)
        theirs = evaluate(target.graph, target.coefficients, x, target.carried)
        error = np.abs(evaluate(ticket.network, realised, x, ticket.carried) - theirs)
        found = np.maximum(found, error.reshape(len(x), -1).max(axis=0))
    return found
