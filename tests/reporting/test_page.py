"""What the page says, from tickets made without a solver."""

import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest
from helpers.learned import mlp_ticket
from helpers.tickets import any_ticket
from reporting.examples import EVIL, HERE, SHOWN, evaluation, exhibit, outcome

from slth._errors import InputError
from slth.certificate import Statistical
from slth.evidence import sizes
from slth.records import Check, Record, Verdict, read_evaluation
from slth.reporting import page
from slth.reporting.anatomy import panels
from slth.reporting.exhibit import evaluations_of
from slth.reporting.facts import gather
from slth.reporting.figures import error_bins
from slth.reporting.html import at_most
from slth.ticket import Inputs, computed_digest, summary, take_apart


def text_of(html):
    """What a reader sees, tags removed."""
    return unescape(re.sub(r"<[^>]+>", " ", re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)))


@pytest.fixture(scope="module")
def made():
    return any_ticket((6, 8, 3))


@pytest.fixture(scope="module")
def whole(made):
    """A page with everything on it."""
    ticket, target = made
    inputs = np.random.default_rng(0).uniform(-1, 1, (50, 6)).astype(np.float32)
    share = {"hits": 8, "count": 9, "interval": [0.565, 0.98]}
    found = read_evaluation(
        outcome(
            ticket,
            target_accuracy=share,
            changed=3,
            measured_error=0.123456,
            unchanged_on_box={**share, "hits": 1},
            unchanged_per_input={**share, "hits": 4},
        )
    )
    return page([exhibit(ticket, target, inputs=inputs, data="some data", evaluations=(found,))], [evaluation(ticket)])


def test_what_examples_say_stands_apart_from_what_is_proved(made):
    """In a row and a card of its own; what the ticket says, and nobody counted here, is marked."""
    ticket, target = made
    counted = {"data": "some data", "examples": 9, "changed": 3, "confidence": 0.99, "at_most": 0.9}
    said = Statistical.from_counts("elsewhere", changed=1, examples=50)
    ticket = replace(ticket, claims=replace(ticket.claims, statistical=(said,)))
    found = read_evaluation(outcome(ticket, changed=3, statistical=counted))
    text = " ".join(text_of(page([exhibit(ticket, target, evaluations=(found,))])).split())
    claim = Statistical(**counted).text
    assert f"With confidence From 3 of 9 predictions changed: {claim}." in text
    assert f"The ticket says, from 1 of 50 predictions: {said.text}." in text
    assert text.count("No bound: it says nothing of any one input") == 1
    assert f"statistical {claim}" in text
    assert "With confidence" not in text_of(page([exhibit(made[0], target)]))
    alone = text_of(page([exhibit(ticket)]))
    assert f"The ticket says, from 1 of 50 predictions: {said.text}." in alone


@pytest.mark.parametrize(
    "change",
    [
        {"at_most": 0.1},
        {"changed": 10},
        {"confidence": 1.0},
        {"examples": "9"},
        {"at_most": None},
        {"data": ""},
        {"data": 3},
    ],
)
def test_a_record_that_claims_too_much_of_a_population_is_refused(made, change):
    counted = {"data": "d", "examples": 9, "changed": 3, "confidence": 0.99, "at_most": 0.9}
    assert read_evaluation(outcome(made[0], statistical=counted)).statistical == Statistical(**counted)
    with pytest.raises(InputError, match=r"'(statistical|examples)' of an evaluation must be"):
        read_evaluation(outcome(made[0], statistical=counted | change))


def test_a_ticket_alone_says_in_a_sentence_what_each_section_needs(made):
    html = page([exhibit(made[0])])
    text = text_of(html)
    for sentence in (
        "Not evaluated: give --data D, or a record of slth evaluate.",
        "The target's weights are needed to compare with: give --target F.",
        "Give --target F to compare.",
        "are needed: give --target F and --data D.",
        "to recheck it, give --target F",
        "Stated, not rechecked",
    ):
        assert sentence in text, sentence
    assert html.count("<svg") == 2 + 2  # two halves of one weight, two masks


def test_with_target_and_data_nothing_is_asked_for(whole):
    text = text_of(whole)
    assert "give --" not in text.lower()
    assert "Proved, measured, missing" in text
    assert "Stated" not in text
    assert whole.count("<svg") == 2 + 2 + 2 + 1


def test_without_an_input_range_no_bound_is_shown(made):
    ticket, target = made
    maps = {path: replace(claim, sup_error=None, l2_error=None) for path, claim in ticket.claims.maps.items()}
    bare = replace(ticket.claims, maps=maps, sup_error=None, l2_error=None, output_error=None)
    inputs = np.zeros((4, 6), np.float32)
    free = replace(ticket, inputs=Inputs((6,)), claims=bare)
    text = text_of(page([exhibit(free, target, inputs=inputs, data="zeros")]))
    assert "no bound" in text
    assert "no range was stated, so nothing is proved for all inputs" in text
    assert "--input-range" not in text


def test_the_numbers_are_those_of_ticket_and_record(made, whole):
    ticket, _ = made
    size, text = sizes(ticket), text_of(whole)
    facts = gather(exhibit(ticket))
    assert facts.kept_parameters == ticket.kept_parameters() == size.kept_parameters
    for number in (
        f"{size.source_parameters:,}",
        f"{size.kept_parameters:,}",
        f"{size.target_parameters:,}",
        f"{size.mask_bits:,}",
        f"{facts.edges:,}",
        f"{size.bits_per_weight:.1f}",
        ticket.provenance.target,
        "77.78\xa0% [45.26\xa0%, 93.68\xa0%], 7 right",
        "88.89\xa0% [56.50\xa0%, 98.01\xa0%], 8 right",
        "0.1235, measured in float32",
        "44.44\xa0% (4), input by input",
        "11.11\xa0% (1), by the bound over the whole range",
        at_most(ticket.claims.sup_error),
        *(at_most(claim.operator_error) for claim in ticket.claims.maps.values()),
        *(at_most(claim.l2_error) for claim in ticket.claims.maps.values()),
        *(
            value
            for name, value in summary(ticket, certified=True)
            if name not in ("largest weight error", "certified |f - ticket|")
        ),
    ):
        assert number in text, number


def test_what_is_printed_as_a_bound_is_one():
    """Rounded up, by less than one unit of the fifth digit."""
    rng = np.random.default_rng(0)
    for bound in 10.0 ** rng.uniform(-12, 4, 2000):
        text = at_most(float(bound))
        mantissa, _, exponent = text.partition("·10")
        shown = (
            float(mantissa + "e" + exponent.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")))
            if exponent
            else float(text)
        )
        assert bound <= shown <= bound * (1 + 1.01e-4), text


def test_every_error_falls_into_a_bin_and_the_tolerance_parts_them():
    rng = np.random.default_rng(0)
    for errors in (rng.random(500) * 0.02, np.zeros(3), np.array([0.01]), np.array([1e-9, 0.01, 5.0]), np.array([1e9])):
        edges, below = error_bins(errors, 0.01)
        assert edges[below] == 0.01
        assert (np.diff(edges) > 0).all()
        assert errors.max() <= edges[-1]
        assert len(edges) < 150


def test_errors_beyond_the_tolerance_are_counted_as_the_certificate_counts_them(made):
    ticket, target = made
    facts = gather(exhibit(ticket, target))
    for layer, claim in zip(facts.maps.values(), ticket.claims.maps.values(), strict=True):
        assert np.count_nonzero(layer.errors > claim.tolerance) == claim.misses
        assert layer.errors.max() <= max(claim.weight_error, claim.bias_error)


def test_the_running_sum_ends_at_what_the_weight_realises(made):
    ticket, target = made
    anatomy = take_apart(ticket, "layers/0", output=2, input=5)
    first, last = target.coefficients.values()
    for panel in panels(anatomy, float(first.weight[2, 5, 0])):
        assert np.isclose(panel.running[-1], panel.half.sign * panel.half.realised)
        assert panel.wanted == panel.half.sign * first.weight[2, 5, 0]
    text = text_of(page([exhibit(ticket, target, weight=("layers/0", 2, 5, 0))]))
    for half in anatomy.halves:
        assert f"realised {half.realised:+.9f}".replace("-", "−") in text
    assert f"target {first.weight[2, 5, 0]:+.9f}".replace("-", "−") in text
    bias = text_of(page([exhibit(ticket, target, weight=("layers/1", 0, None, 0))]))
    assert f"target {last.bias[0]:+.9f}".replace("-", "−") in bias


def test_a_failed_check_stands_at_the_top(made):
    ticket, target = made
    claim = replace(ticket.claims.maps["layers/0"], weight_error=1e-9)
    lying = replace(ticket, claims=replace(ticket.claims, maps={**ticket.claims.maps, "layers/0": claim}))
    inputs = np.zeros((4, 6), np.float32)
    html = page([exhibit(lying, target, inputs=inputs, data="zeros")])
    assert "claimed, every input of the range" in html
    assert "proved, every input of the range" not in html
    assert 'class="alarm"' in html
    assert text_of(html).index("Does not hold: claims") < text_of(html).index("Summary")
    assert "Stated, but refuted" in html
    assert 'class="alarm"' not in page([exhibit(ticket, target)])


def test_a_stranger_s_text_is_shown_as_text(made):
    ticket, target = made
    names = {"layers/0": (f"w{EVIL}", f"b{EVIL}"), "layers/1": ("w", "b")}
    origin = replace(ticket.provenance, names=names)
    for field, text in (("version", EVIL), ("method", f"m{EVIL}")):
        object.__setattr__(origin, field, text)  # no file can bring it: a provenance refuses such texts
    checks = (Check(f"c{EVIL}", Verdict.FAILS, f"d{EVIL}"),)
    found = read_evaluation(outcome(ticket, data=f"e{EVIL}"))
    shown = replace(
        exhibit(ticket, target),
        ticket=replace(ticket, provenance=origin),
        name=f"n{EVIL}",
        checks=checks,
        target_name=f"t{EVIL}",
        data=f"x{EVIL}",
        inputs=np.zeros((2, 6), np.float32),
        evaluations=(found,),
    )
    record = Record(f"k{EVIL}", {f"q{EVIL}": f"a{EVIL}"}, {"list": [f"l{EVIL}"]}, {}, HERE)
    html = page([shown], [record])
    html.encode()
    assert "<script" not in html
    text = unescape(html)
    for mark in ("m", "w", "b", "c", "d", "e", "n", "x", "k", "q", "a", "l", "slth "):
        assert mark + SHOWN in text, mark
    assert "./" not in html
    assert "pip install" not in html  # a version that is none


def test_the_markup_is_sound(whole):
    for svg in re.findall(r"<svg.*?</svg>", whole, re.DOTALL):
        ElementTree.fromstring(svg)
        assert not re.search(r"\b(nan|inf)\b", svg)
    assert not re.search(r"\{\w*\}", re.sub(r"<style>.*?</style>", "", whole, flags=re.DOTALL))

    class Balance(HTMLParser):
        def __init__(self):
            super().__init__()
            self.open, self.ids = [], []

        def handle_starttag(self, tag, attributes):
            if tag not in ("meta", "link"):
                self.open.append(tag)
            self.ids += [value for name, value in attributes if name == "id"]

        def handle_startendtag(self, tag, attributes):
            pass

        def handle_endtag(self, tag):
            assert self.open.pop() == tag

    balance = Balance()
    balance.feed(whole)
    assert balance.open == []
    assert len(set(balance.ids)) == len(balance.ids)
    assert {target[1:] for target in re.findall(r'href="(#[^"]+)"', whole)} <= set(balance.ids)


def test_the_page_asks_for_nothing_from_outside(whole):
    assert "http" not in re.sub(r'<meta http-equiv="Content-Security-Policy"', "", whole)
    assert not re.search(r"<script|\bsrc=|url\(|@import|<iframe|<object", whole)
    assert all(link.startswith(("#", "data:")) for link in re.findall(r'href="([^"]*)"', whole))


def test_the_same_input_gives_the_same_page(made):
    ticket, target = made
    again, _ = any_ticket((6, 8, 3))
    records = [evaluation(ticket)]
    assert page([exhibit(ticket, target)], records) == page([exhibit(again, target)], records)


def test_several_tickets_are_compared_first(made):
    ticket, target = made
    other, _ = any_ticket((6, 8, 3), rng_seed=1)
    text = text_of(page([exhibit(ticket, target), exhibit(other)]))
    assert "2 strong lottery tickets" in text
    first = text.index("How to repeat it")
    assert text[:first].count("t.slth") >= 2


def test_records_alone_become_a_table(made):
    ticket, _ = made
    rows = [
        Record("construct", {"seed": seed, "tolerance": 1e-4}, {"misses": misses}, {"construct": 2.5}, HERE)
        for seed, misses in ((0, 12345), (1, 3))
    ]
    html = page([], [*rows, evaluation(ticket)])
    text = text_of(html)
    assert "3 records" in text
    assert "2 records of kind construct" in text
    assert "12,345" in text
    assert html.count("0.0001") == 1  # what all share is said once
    assert "asked\xa0·\xa0seed" not in text[text.index("The same in all") :]
    assert "77.78\xa0% [45.26\xa0%, 93.68\xa0%] of 9" in text


def test_an_evaluation_goes_to_its_own_ticket_only(made):
    ticket, _ = made
    other, _ = any_ticket((6, 8, 3), rng_seed=1)
    alone = [Record("construct", {}, {"evaluation": outcome(ticket)}, {}, HERE)]
    assert [found.data for found in evaluations_of(ticket, [evaluation(ticket), evaluation(ticket)])] == ["some data"]
    assert evaluations_of(ticket, alone) == evaluations_of(ticket, [evaluation(ticket)])
    assert evaluations_of(other, [evaluation(ticket)]) == ()


@pytest.mark.parametrize("digest", [None, "0" * 64])
def test_a_record_that_does_not_name_its_ticket_is_quoted_apart(made, digest):
    """Same sizes, same bound, somebody's accuracy: in the table of records, and nowhere beside what is proved."""
    ticket, target = made
    share = {"hits": 8, "count": 9, "value": 8 / 9, "interval": [0.5650, 0.9801]}
    found = outcome(ticket, accuracy=share, realised=digest)
    rows = [Record("evaluate", {"ticket": "t.slth"}, one, {}, HERE) for one in (found, outcome(ticket, realised="1"))]
    assert evaluations_of(ticket, rows) == ()
    text = text_of(page([exhibit(ticket, target, evaluations=evaluations_of(ticket, rows))], rows))
    assert text.count("88.89\xa0%") == 1
    assert text.index("88.89\xa0%") > text.index("How to repeat it")
    assert "The ticket is right on" not in text


def test_a_ticket_with_a_further_claim_keeps_its_records(made):
    """What it computes is the same; another seed, or another network around the same numbers, is another ticket."""
    ticket, _ = made
    share = Statistical.from_counts("digits", changed=0, examples=10)
    further = replace(ticket, claims=replace(ticket.claims, statistical=(share,)))
    assert len(evaluations_of(further, [evaluation(ticket)])) == 1
    learned = [mlp_ticket(), mlp_ticket(gain=0.5)]
    other = replace(learned[0], carried={**learned[0].carried, "1.bias": np.zeros(12, np.float32)})
    names = {computed_digest(one) for one in (ticket, *learned, other, any_ticket((6, 8, 3), seed=6)[0])}
    assert len(names) == 5


@pytest.mark.parametrize(
    "change",
    [
        {"sizes": 3},
        {"accuracy": None},
        {"accuracy": {"hits": 3, "count": 2, "interval": [0, 1]}},
        {"accuracy": {"hits": 0, "count": 0, "interval": [0, 1]}},
        {"target_accuracy": [1, 2]},
        {"target_accuracy": {"hits": 1}},
        {"changed": "3"},
        {"changed": -1},
        {"measured_error": float("nan")},
        {"measured_error": True},
    ],
)
def test_an_evaluation_that_is_none_is_refused(made, change):
    with pytest.raises(InputError):
        read_evaluation(outcome(made[0], **change))


def test_nothing_is_no_report():
    with pytest.raises(InputError, match="at least one ticket or one record"):
        page([])


def test_a_network_of_the_size_of_mnist_stays_far_below_a_megabyte():
    ticket, target = any_ticket((784, 500, 10), bias=False, lower=0.0)
    assert len(page([exhibit(ticket, target)]).encode()) < 200_000


def test_layers_beyond_a_few_are_told_not_drawn():
    ticket, _ = any_ticket(tuple([3] * 14))
    html = page([exhibit(ticket)])
    assert "5 further maps not drawn" in html
    numbers = [int(cell) for cell in re.findall(r"<tr><td>(\d+)</td><td>\d+\.weight", html)]
    assert numbers == [*range(13), *range(13)]  # what they are, and how far off
    drawn = [int(number) for number in re.findall(r"Map (\d+) keeps", html)]
    assert (drawn[0], drawn[-1], len(drawn)) == (0, 12, 8)
    assert all(b > a for a, b in pairwise(drawn))
