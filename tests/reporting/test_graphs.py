"""Pages of networks that are no chains, and of tickets that were learned: what is there is said, and stays readable."""

import re
from dataclasses import replace
from html import unescape
from xml.etree import ElementTree

import numpy as np
import pytest
from attacks.graph_specimens import apart, merged, proved, words
from helpers.graph_tickets import Builder, graph_ticket, ticket_of
from helpers.learned import any_learned
from reporting.examples import exhibit

from slth.graph import Add, Conv, Graph, Linear, Node, Pointwise, shapes
from slth.reporting import page
from slth.reporting.graph import MOST_NODES, lanes
from slth.reporting.html import at_most
from slth.ticket import Inputs, network_name, op_words, rewritten_for, take_apart


def text_of(html):
    """What a reader sees, tags removed, one space between words."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL))).split())


def deep(maps, name="block.{}.conv"):
    """A residual network of so many convolutions."""
    rng = np.random.default_rng(0)
    b, x = Builder(rng, (2, 4, 4)), "input"
    for i in range(maps):
        basis = Conv(2, 2, (3, 3), (1, 1), (1, 1, 1, 1), (1, 1))
        y = b.add(Linear(name.format(i), basis, True), x, name=name.format(i))
        x = b.add(Add((1.0, 1.0)), b.add(Pointwise("Relu"), y), x)
    return ticket_of(Graph(tuple(b.nodes)), Inputs((2, 4, 4), lower=(0.0,), upper=(1.0,)), b.carried)


@pytest.mark.parametrize(
    ("make", "said", "not_said"),
    [
        (merged, "of the target's, its projections merged in float64", "of the target's."),
        (apart, "until it computes 3 linear maps (2 dense, 1 conv) of a model.", "a network of"),
        (lambda: proved(words(linear=True)), "Behind the first map outputs are off by at most", "Errors add up"),
    ],
    ids=["merged", "apart", "words"],
)
def test_the_page_says_what_coefficients_are_compared_with(make, said, not_said):
    """Products of projections; layers that nothing is known to join; bounds that a normalisation makes smaller."""
    ticket, target = make()
    shown = replace(exhibit(ticket, target=target), target=rewritten_for(ticket, target))
    text = text_of(page([shown]))
    assert said in text
    assert not_said not in text


@pytest.mark.parametrize("seed", range(6))
def test_the_page_says_which_network_it_is(seed):
    """Every node with its op and shape, every map, signs, folds, what is carried."""
    ticket, _ = graph_ticket(seed, assumed=("nothing is certain",))
    first, *rest = ticket.maps
    names = {path: ticket.provenance.names[path] for path in rest}  # the first map is no tensor of the target as it is
    ticket = replace(ticket, provenance=replace(ticket.provenance, names=names))
    assert ticket.provenance.folded == {first: ("block.norm", "scale")}
    html = page([exhibit(ticket)])
    text, graph = text_of(html), ticket.network
    assert network_name(graph) in text
    known = shapes(graph, ticket.inputs.shape, ticket.carried)
    (picture,) = re.findall(r'<svg class="fig graph".*?</svg>', html, re.DOTALL)
    words = [unescape(word) for word in re.findall(r"<text[^>]*>(.*?)</text>", picture)]
    for node in graph.nodes:
        name = node.op.map if isinstance(node.op, Linear) else node.name
        at = words.index(name)
        assert words[at + 1].startswith(op_words(node.op)), node
        shown = {tuple(words[i + 1 : i + 3]) for i, word in enumerate(words) if word == name}
        assert " × ".join(map(str, known[node.name])) in {shape for _, shape in shown}, node
    signed, channels = ticket.signed_channels
    for sentence in (
        f"{signed:,} of {channels:,} input channels of maps can be negative",
        f"1 of {len(ticket.maps)} maps",
        f"tensor names {first} (with block.norm, scale), {rest[0]}.weight",
        "nothing is certain",
        f"{2 * len(ticket.maps)} gains (two per map)",
        f"{ticket.candidates_kept / ticket.mask_bits:.4f} per candidate; density {ticket.density:.4f} of all entries",
        "--model MODEL",
        "--example=TOKENS" if ticket.inputs.tokens else f"--input-shape={','.join(map(str, ticket.inputs.shape))}",
        *ticket.maps,
    ):
        assert sentence in text, sentence
    assert not re.search(r"\blayer \d|layers? of the ticket|per layer", text)
    for svg in re.findall(r"<svg.*?</svg>", html, re.DOTALL):
        ElementTree.fromstring(svg)
        assert not re.search(r"\b(nan|inf)\b", svg)


def test_kept_and_signed_are_counts_of_masks_and_channels():
    ticket, _ = graph_ticket(3)
    assert ticket.candidates_kept == sum(int(ticket.map_mask(path).sum()) for path in ticket.maps)
    signed = [ticket.realised(path).signed for path in ticket.maps]
    assert ticket.signed_channels == (sum(int(part.sum()) for part in signed), sum(map(len, signed)))


def test_where_claims_stop_is_said_and_drawn():
    ticket, _ = graph_ticket(next(s for s in range(20) if graph_ticket(s)[0].inputs.lower is not None))
    stop = ticket.network.nodes[-2].name
    claims = replace(ticket.claims, sup_error=None, l2_error=None, output_error=None, stops=(stop,))
    html = page([exhibit(replace(ticket, claims=claims))])
    text = text_of(html)
    assert f"on the outputs: claims stop at {stop}, for which there is no rule" in text
    assert f"Nothing is proved about outputs: claims stop at {stop}" in text
    assert "no input range was stated" not in text
    assert len(re.findall(r'<circle class="missed"', html)) == 1


def test_the_bound_of_each_output_is_listed_or_summed_up():
    ticket, _ = deep(1)
    few = exhibit(ticket)
    for count, sentence in ((32, "The bound of each of 32 outputs"), (500, "Output by output, 500 of them")):
        bounds = tuple(np.linspace(0.1, 1.23456789, count).tolist())
        one = replace(few, ticket=replace(ticket, claims=replace(ticket.claims, output_error=bounds)))
        text = text_of(page([one]))
        assert sentence in text
        assert "1.2346" in text  # rounded up


@pytest.mark.slow
def test_a_hundred_maps_are_a_page_that_scrolls_inside():
    ticket, target = deep(100)
    html = page([exhibit(ticket, target)])
    assert len(html.encode()) < 350_000
    assert html.count('class="scroll tall"') == 3  # the network, what the maps are, how far they are off
    assert html.count("further maps not drawn") == 2
    more, _ = deep(MOST_NODES // 3 + 2, "m{}")
    assert "6 further nodes not drawn." in text_of(page([exhibit(more)]))


def test_no_two_values_share_a_lane_at_one_height():
    rng = np.random.default_rng(0)
    for _ in range(200):
        edges = [tuple(sorted(rng.choice(40, 2, replace=False).tolist())) for _ in range(int(rng.integers(1, 12)))]
        found = lanes(edges)
        assert {(source, reader) for source, readers, _ in found for reader in readers} == set(edges)
        for i, (start, readers, lane) in enumerate(found):
            for other, theirs, same in found[:i]:
                assert lane != same or readers[-1] <= other or start >= theirs[-1]


def test_a_stranger_s_names_are_text_in_the_picture_too():
    first, *rest = deep(2)[0].network.nodes
    name = "<b>&\"'"
    graph = Graph((Node(name, Pointwise("Relu"), ("input",)), replace(first, inputs=(name,)), *rest))
    ticket, _ = ticket_of(graph, Inputs((2, 4, 4), lower=(0.0,), upper=(1.0,)), {})
    html = page([exhibit(ticket)])
    assert "<b>&" not in html
    assert name in unescape(html)


@pytest.mark.parametrize(
    ("kernel", "tap", "position"), [((5,), 3, "(3)"), ((5, 3), 7, "(2, 1)"), ((2, 3, 2), 9, "(1, 1, 1)")]
)
def test_a_tap_is_a_position_of_the_kernel(kernel, tap, position):
    axes = len(kernel)
    basis = Conv(1, 2, kernel, (1,) * axes, (0,) * (2 * axes), (1,) * axes)
    shape = (1, *(n + 1 for n in kernel))
    graph = Graph((Node("conv", Linear("conv", basis, True), ("input",)),))
    ticket, _ = ticket_of(graph, Inputs(shape), {})
    found = take_apart(ticket, "conv", output=1, input=0, tap=tap)
    sides = " x ".join(map(str, kernel))
    assert found.name == f"map conv, output 1, input 0, tap {tap} at {position} of the {sides} kernel"
    part = ticket.realised("conv")
    assert [half.realised for half in found.halves] == [part.positive[1, 0, tap], -part.negative[1, 0, tap]]


def test_learned_tickets_have_pages_beside_constructed_ones():
    learned, (graph, _) = any_learned(), graph_ticket(0)
    html = page([exhibit(learned), exhibit(graph)])
    text = text_of(html)
    for sentence in (
        "2 lottery tickets",
        "whose weights moved",
        f"Kept weights moved, by at most {at_most(learned.largest_move)}",
        f"of {learned.size:,} masked weights kept (density)",
        "It stands for no target network, so nothing is claimed of its outputs",
        *(tensor.path for tensor in learned.tensors),
        "Map by map",
    ):
        assert sentence in text, sentence
    alone = text_of(page([exhibit(learned)]))
    assert "Map by map" not in alone
    assert "give --target" not in alone
