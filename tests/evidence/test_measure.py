"""A constructed ticket of images, measured: which inputs it takes, and what is proved of them."""

import numpy as np
import pytest

from slth import InputError
from slth.construction import Request, construct
from slth.evidence import evaluate
from slth.graph import INPUT, Affine, Dense, Graph, Linear, Node, Reshape, Target
from slth.ticket import Inputs


@pytest.fixture(scope="module")
def pair():
    rng = np.random.default_rng(0)
    graph = Graph((Node("0", Reshape((12,)), (INPUT,)), Node("1", Linear("fc", Dense(12, 3), False), ("0",))))
    target = Target(graph, {"fc": Affine(rng.normal(size=(3, 12, 1)), None)}, input_shape=(3, 2, 2))
    inputs = Inputs((3, 2, 2), lower=(0.0, -1.0, 2.0), upper=(1.0, 0.5, 3.0))
    return construct(target, Request(tolerance=0.01), inputs=inputs), target


def test_each_channel_has_its_own_range(pair):
    """Inputs at the ends of every channel are taken; one entry beyond its own end is not, though within another's."""
    ticket, target = pair
    channels = np.array([[0.0, -1.0, 2.0], [1.0, 0.5, 3.0]], np.float32)
    ends = np.tile(channels[:, :, None, None], (1, 1, 2, 2))
    found = evaluate(ticket, ends, np.zeros(2, np.int64), data="ends", target=target)
    assert found.measured_error < found.certified_error
    ends[0, 0, 0, 0] = -0.5
    with pytest.raises(InputError, match="outside the input range"):
        evaluate(ticket, ends, np.zeros(2, np.int64), data="ends")
