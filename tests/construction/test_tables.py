"""Tables of tokens as maps: how fine plain random numbers come, and who makes up for what that leaves."""

from dataclasses import replace

import numpy as np
import pytest

from slth import InputError
from slth.construction import Request, construct
from slth.evidence import verify
from slth.graph import Affine, Dense, Graph, Linear, Node, OneHot, Stored, Target
from slth.ticket import Inputs

INPUTS = Inputs((3,), tokens=9)


def target():
    """Rows of nine tokens, and a layer."""
    rng = np.random.default_rng(0)
    table, weight = (rng.uniform(-0.6, 0.6, size).astype(np.float32).astype(np.float64) for size in ((4, 9), (2, 4)))
    rows, head = Node("rows", Linear("rows", OneHot(9, 4), False), ("input",)), Linear("head", Dense(4, 2), False)
    numbers = {"rows": Affine(table[:, :, None], None), "head": Affine(weight[:, :, None], None)}
    return Target(Graph((rows, Node("head", head, ("rows",)))), numbers, (3,))


def in_formats(own):
    """The same, whose tensors are told."""
    tensors = {
        f"{path}.weight": Stored("F32", own.coefficients[path].shape[:2], "weight", path) for path in own.graph.maps
    }
    return replace(own, tensors=tensors, names={path: (f"{path}.weight", None) for path in own.graph.maps})


def test_an_error_of_the_network_is_met_with_the_table_at_its_finest():
    """2⁻²⁴ gains: half a step of the grid on which sums of plain random numbers lie. The layer is finer instead."""
    own, epsilon = target(), 9e-8
    ticket = construct(own, Request(epsilon=epsilon), inputs=INPUTS)
    assert ticket.misses == 0
    assert ticket.claims.sup_error <= epsilon
    tolerances = {path: part.tolerance for path, part in ticket.claims.maps.items()}
    assert tolerances["rows"] == 2.0**-24
    assert tolerances["head"] < 2.0**-26
    assert verify(ticket, target=own).complete


def test_what_a_table_does_not_reach_is_said_of_plain_numbers():
    match = (
        r"in rows, where plain random numbers.* reach 6e-08; with every map at its finest the best in reach is about"
    )
    with pytest.raises(InputError, match=match) as error:
        construct(target(), Request(epsilon=1e-8), inputs=INPUTS)
    least = float(str(error.value).split("about ")[1].split(":")[0])
    assert construct(target(), Request(epsilon=1.1 * least), inputs=INPUTS).claims.sup_error <= 1.1 * least


def test_whoever_is_refused_a_table_is_told_to_carry_it():
    """It has but one gadget; another is no way out."""
    for asked in (Request(tolerance=1e-8), Request(tolerance=0.01, law="normal/20"), Request(exact=True)):
        with pytest.raises(InputError, match=r'carry the table.* embeddings="carried"'):
            construct(in_formats(target()), asked, inputs=INPUTS)
