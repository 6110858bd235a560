"""Small learned tickets made without any training: any mask is a ticket."""

import itertools

import numpy as np

from slth.ticket import Bound, Builtin, Inputs, Provenance, RandomTensor, Ticket, learned_ticket

ASKED = {"method": {"name": "coin flips", "density": 0.5}, "policy": {"skip": ("fc",)}, "seed": 10**40, "data": None}


def float32(number):
    return float(np.float32(number))


def coins(shape, kept, seed=0):
    """A mask with exactly `kept` ones."""
    flat = np.zeros(int(np.prod(shape)), np.bool_)
    flat[np.random.default_rng(seed).permutation(flat.size)[:kept]] = True
    return flat.reshape(shape)


def ticket_with(tensors, *, carried=None, moves=None, network=None, inputs=None, move_bound=None, seed=5) -> Ticket:
    """A ticket of some tensors, with random masks, and random moves if none are given."""
    rng = np.random.default_rng(1)
    drawn = {t.path: np.float32(0.01) * rng.normal(size=t.kept).astype(np.float32) for t in tensors if t.moved}
    return learned_ticket(
        seed=seed,
        network=Bound() if network is None else network,
        inputs=inputs,
        tensors=tensors,
        kept={tensor.path: coins(tensor.shape, tensor.kept, seed=i) for i, tensor in enumerate(tensors)},
        moves=drawn if moves is None else moves,
        move_bound=move_bound,
        carried={} if carried is None else carried,
        provenance=Provenance("0.0.test", "coin flips", ASKED, "digits"),
    )


def any_learned(*, moved=True) -> Ticket:
    """Every law, a gain, signs, moves, an alias, a redraw, a coded mask, a full tensor, carried arrays of all types."""
    return ticket_with(
        [
            RandomTensor("0.weight", (3, 5), "normal", float32(0.3), 7, binary=True, gain=float32(0.7)),
            RandomTensor("2.weight", (4, 3), "uniform", 0.25, 6, moved=moved, stream="2.weight@1", aliases=("tied.ü",)),
            RandomTensor("4.weight", (2, 200), "sign", 0.5, 5),
            RandomTensor("6.weight", (2, 2), "sign", 0.125, 4),
        ],
        carried={
            "norm.steps": np.array(7),
            "norm.mean": np.array([[1.0, 0.0]], ">f4"),
            "a.flags": np.array([True, False, True]),
            "half": np.ones(2, np.float16),
            "none": np.zeros((2, 0), np.float64),
            "é.bytes": np.arange(3, dtype=np.uint8),
        },
        inputs=Inputs((2, 1, 3), (0.5, 0.25), (0.5, 2.0)),
        move_bound=0.25 if moved else None,
    )


def mlp_ticket(hidden=(12,), *, inputs=(1, 8, 8), classes=10, density=0.5, gain=1.0) -> Ticket:
    """A ticket of the network that `mlp` builds, biases carried, its mask random."""
    sizes = [int(np.prod(inputs)), *hidden, classes]
    tensors, carried = [], {}
    for i, (inp, out) in enumerate(itertools.pairwise(sizes)):
        kept = round(density * inp * out)
        tensors.append(RandomTensor(f"{2 * i + 1}.weight", (out, inp), "normal", 0.125, kept, gain=gain))
        carried[f"{2 * i + 1}.bias"] = np.arange(out, dtype=np.float32) % 2  # what a strong ticket may carry
    arguments = {"inputs": list(inputs), "classes": classes, "hidden": list(hidden)}
    normal = ((0.3,), (0.4,)) if len(inputs) == 3 else ((0.0,), (1.0,))
    return ticket_with(tensors, carried=carried, network=Builtin("mlp", arguments), inputs=Inputs(inputs, *normal))
