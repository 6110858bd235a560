"""A file of whole neurons with a right digest and one thing wrong is refused, by name."""

import numpy as np
import pytest
from helpers.graph_tickets import Builder, ticket_of
from helpers.version2_files import changed, parts, sealed

from slth.graph import Conv, Dense, Graph, Linear, Pointwise, Reshape
from slth.ticket import Inputs, TicketError, decode, encode

FC, CONV = ("gadgets", "fc"), ("gadgets", "conv")


@pytest.fixture(scope="module")
def file():
    """A convolution of four taps with a bias, in groups of two; a dense map of three outputs without one."""
    b = Builder(np.random.default_rng(0), (2, 3, 3))
    conv = Linear("conv", Conv(2, 4, (2, 2), (1, 1), (0, 0, 0, 0), (1, 1), 1), True)
    x = b.add(Pointwise("Relu"), b.add(conv, "input"))
    b.add(Linear("fc", Dense(16, 3), False), b.add(Reshape((16,)), x))
    return parts(encode(ticket_of(Graph(tuple(b.nodes)), Inputs((2, 3, 3)), b.carried, whole=2)[0]))


def test_the_file_itself_is_read(file):
    meta, entries, body = file
    read = decode(sealed(meta, entries, body))
    assert [gadget.group_size for gadget in read.gadgets.values()] == [2, 2]
    assert encode(read) == sealed(meta, entries, body)


BAD = {
    "another kind": ((*FC, "kind"), "neuron", "kind"),
    "no group size": ((*FC, "group_size"), ..., "group_size"),
    "a group of none": ((*FC, "group_size"), 0, "group_size"),
    "a group larger than the outputs": ((*FC, "group_size"), 4, r"group_size: expected an integer from 1 to 3"),
    "too many numbers at once": ((*CONV, "group_size"), 3, r"group_size: expected an integer from 1 to 2, for 4 out"),
    "another group size": ((*FC, "group_size"), 1, "expected"),
    "candidates beyond exact sums": ((*FC, "candidates"), 65, "candidates"),
    "no candidates": ((*FC, "candidates"), 0, "candidates"),
    "constants without a bias": ((*FC, "constants"), 2, "without a bias"),
    "a bias without constants": ((*CONV, "constants"), 0, "constants from 1 to 64"),
    "a lift too narrow": ((*FC, "neurons"), 3, "neurons: expected an integer from"),
    "a gain that is no power of two": ((*FC, "gain"), 0.3, "gain"),
    "groups of a map that has none": ((*FC, "groups"), 2, "groups"),
    "stages": ((*FC, "stages"), [], "stages"),
    "signed beyond the inputs": ((*FC, "signed"), [[0, 17]], "ascending ranges"),
}


@pytest.mark.parametrize("case", BAD)
def test_one_thing_wrong_is_refused_by_name(file, case):
    (meta, entries, body), (path, value, match) = file, BAD[case]
    with pytest.raises(TicketError, match=match) as error:
        decode(sealed(changed(meta, path, value), entries, body))
    assert len(str(error.value)) < 600


@pytest.mark.parametrize("name", ["conv/lift", "conv/lift_bias", "conv/mixing", "fc/lift", "fc/mixing"])
def test_another_count_of_what_is_kept_is_refused(file, name):
    meta, entries, body = file
    at = next(i for i, tensor in enumerate(meta["tensors"]) if tensor["path"] == name)
    kept = meta["tensors"][at]["kept"]
    with pytest.raises(TicketError, match=f"{name}: the mask keeps {kept} weights, the ticket says {kept + 1}"):
        decode(sealed(changed(meta, ("tensors", at, "kept"), kept + 1), entries, body))


def test_a_grouped_map_has_no_whole_neurons(file):
    """Its outputs do not share their inputs."""
    meta, entries, body = file
    node = next(i for i, node in enumerate(meta["network"]["nodes"]) if node["op"].get("map") == "conv")
    grouped = changed(meta, ("network", "nodes", node, "op", "basis", "groups"), 2)
    grouped = changed(changed(grouped, (*CONV, "groups"), 2), (*CONV, "shape"), [2, 2, 4])
    with pytest.raises(TicketError, match="a map in one group, whose outputs share their inputs"):
        decode(sealed(grouped, entries, body))
