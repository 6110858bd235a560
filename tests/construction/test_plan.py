"""What a plan promises of a whole network: an error certified, or no miss; attempts that are whole and counted."""

from dataclasses import replace

import numpy as np
import pytest
from helpers.graphs import random_case
from helpers.networks import inputs_of, random_target

from slth import InputError
from slth.construction import Request, construct, plan_layout, promise_holds, split, split_error
from slth.construction.split import least_error
from slth.graph import Affine, Conv, Dense, Graph, Node, Pointwise, chain
from slth.ticket import Inputs

SIGNED = -1.0, 1.0


def test_an_error_of_the_network_is_certified_and_recorded():
    target = random_target((6, 9, 9, 3), scale=1.5)
    for epsilon in (1.0, 0.1, 1e-3):
        ticket = construct(target, Request(epsilon=epsilon), inputs=inputs_of(target, *SIGNED))
        assert ticket.claims.sup_error <= epsilon
        assert ticket.claims.sup_error > 0.3 * epsilon  # the tolerances are not wastefully small
        assert ticket.provenance.asked["epsilon"] == epsilon
        assert ticket.provenance.asked["tolerance"] is None
        assert ticket.misses == 0
    with pytest.raises(InputError, match="input range"):
        construct(target, Request(epsilon=0.1), inputs=inputs_of(target))


@pytest.mark.parametrize("epsilon", [1e-9, 1e-3, 1.0, 10.0, 100.0])
def test_the_split_ends_just_below_nine_tenths_of_the_error_and_takes_few_certificates(epsilon, monkeypatch):
    """For small and for large errors, where the certificate grows faster than the tolerances."""
    bounds = []

    def counted(*arguments, **options):
        found = certify(*arguments, **options)
        bounds.append(found.sup_error)
        return found

    certify = split.certify
    monkeypatch.setattr(split, "certify", counted)
    target = random_target((6, 9, 9, 3), scale=1.5)
    tolerances = split_error(target, epsilon, inputs_of(target, *SIGNED))
    assert 0.87 * epsilon < bounds[-1] <= 0.9 * epsilon
    assert len(bounds) <= 4
    assert (np.frexp(list(tolerances.values()))[0] * 256 % 1 == 0).all()  # 8 bits, whatever the last bits of the bounds


@pytest.mark.parametrize("bias", [True, False])
def test_a_network_of_zeros_gets_tolerances_of_at_most_its_gain_and_an_exact_ticket(bias):
    target = chain([Affine(np.zeros((o, i, 1)), np.zeros(o) if bias else None) for i, o in ((3, 4), (4, 2))])
    for epsilon in (1e-6, 0.1, 1e6):
        assert all(0 < t <= 1.0 for t in split_error(target, epsilon, inputs_of(target, *SIGNED)).values())
        ticket = construct(target, Request(epsilon=epsilon), inputs=inputs_of(target, *SIGNED))
        assert ticket.claims.sup_error == 0.0
        assert ticket.misses == 0
    if not bias:  # and nothing enters: no tolerance is too large
        assert split_error(target, 0.1, inputs_of(target, 0.0, 0.0)) == {"layers/0": 1.0, "layers/1": 1.0}


def test_no_tolerance_exceeds_the_gain_of_its_layer():
    target = random_target((4, 5, 2))
    target.coefficients["layers/1"].weight[:] = 0.0  # what the first layer does is multiplied by 0
    assert split_error(target, 1.0, inputs_of(target, *SIGNED))["layers/0"] <= 4.0


def test_retries_of_a_planned_width_are_wider_and_counted():
    target = random_target((6, 9, 3))
    asked = {"tolerance": 1e-3, "failure_probability": 0.99}
    once = construct(target, Request(**asked), inputs=inputs_of(target, *SIGNED))
    assert once.misses > 0
    assert once.provenance.attempts == 1
    assert not promise_holds(once)
    again = construct(target, Request(**asked, retries=20), inputs=inputs_of(target, *SIGNED))
    assert again.misses == 0
    assert promise_holds(again)
    assert again.seed == once.seed
    more = 2 * (again.provenance.attempts - 1)
    for path, gadget in once.gadgets.items():
        assert again.gadgets[path].candidates - more == gadget.candidates


def test_retries_of_a_given_width_take_the_next_seed_for_the_whole_network():
    """Every seed before it has misses, and the ticket is the one that its own seed gives at once."""
    target = random_target((6, 9, 3))
    asked = {"tolerance": 1e-3, "candidates": 17}
    ticket = construct(target, Request(**asked, retries=20), inputs=inputs_of(target, *SIGNED))
    direct = [
        construct(target, Request(**asked, seed=seed), inputs=inputs_of(target, *SIGNED))
        for seed in range(ticket.seed + 1)
    ]
    assert [other.misses > 0 for other in direct] == [True] * ticket.seed + [False]
    assert ticket.seed == ticket.provenance.attempts - 1 > 0
    assert {gadget.candidates for gadget in ticket.gadgets.values()} == {17}
    assert ticket.heads == direct[-1].heads
    assert ticket.digests == direct[-1].digests
    assert ticket.masks.keys() == direct[-1].masks.keys()
    assert all((ours == direct[-1].masks[path]).all() for path, ours in ticket.masks.items())
    last = construct(target, Request(**asked, retries=1), inputs=inputs_of(target, *SIGNED))
    assert (last.seed, last.provenance.attempts, last.misses) == (1, 2, direct[1].misses)


def test_an_error_met_in_spite_of_misses_is_a_promise_kept_and_needs_no_retry():
    target = random_target((6, 9, 9, 3), scale=1.5)
    asked = Request(epsilon=0.1, candidates=16, retries=3, lift="relu")
    ticket = construct(target, asked, inputs=inputs_of(target, *SIGNED))
    assert ticket.misses > 0
    assert ticket.claims.sup_error <= 0.1
    assert promise_holds(ticket)
    assert (ticket.seed, ticket.provenance.attempts) == (0, 1)


def test_an_error_out_of_reach_is_refused_and_the_next_seeds_may_reach_it():
    target = random_target((6, 9, 9, 3), scale=1.5)
    with pytest.raises(InputError, match="17 misses; attempts made: 1"):
        construct(target, Request(epsilon=0.1, candidates=14, lift="relu"), inputs=inputs_of(target, *SIGNED))
    asked = Request(epsilon=0.1, candidates=14, retries=30, lift="relu")
    ticket = construct(target, asked, inputs=inputs_of(target, *SIGNED))
    assert promise_holds(ticket)
    assert ticket.seed == ticket.provenance.attempts - 1 > 0


def test_no_norm_is_asked_for_twice(monkeypatch):
    """One certificate for each map, and some more, of one target: ‖W‖ is found once, not in each."""
    asked = []
    for basis in (Conv, Dense):

        def norm(self, coefficients, honest=basis.norm):
            asked.append((self, coefficients.tobytes()))
            return honest(self, coefficients)

        monkeypatch.setattr(basis, "norm", norm)
    case = random_case(1, "residual")
    shape = case.box.shape
    split_error(case.target, 0.1, Inputs(shape, lower=(float(case.box.lower.min()),), upper=(1.0,)))
    assert len(asked) > 3 * len(case.target.graph.maps)
    assert len(set(asked)) == len(asked)


def test_a_value_that_nothing_reads_is_refused_before_anything_is_solved():
    """No file could hold such a ticket, and no target could be matched to it."""
    target = random_target((3, 4, 2))
    extra = Node("extra", Pointwise("Tanh"), ("layers/0",))
    nodes = target.graph.nodes
    unused = replace(target, graph=Graph((*nodes[:-1], extra, nodes[-1])))
    with pytest.raises(InputError, match="'extra' of the target is read by no later node"):
        construct(unused, Request(tolerance=0.1), inputs=inputs_of(target, *SIGNED))


@pytest.mark.slow
def test_an_error_out_of_reach_says_what_is_in_reach_whatever_was_asked():
    """The best does not depend on the question: a little more is met, and no map is finer than it can be."""
    case = random_case(3, "residual")
    inputs = Inputs(case.box.shape, lower=(-1.0,), upper=(1.0,))
    refused = []
    for epsilon in (1e-11, 1e-12, 1e-14):
        with pytest.raises(InputError, match=r"would take a tolerance of .* ask for a larger epsilon") as caught:
            plan_layout(case.target, Request(epsilon=epsilon), inputs=inputs)
        refused.append(str(caught.value).split("is about ")[1].split(":")[0])
    assert len(set(refused)) == 1
    best = float(refused[0])
    assert best > 1e-11
    ticket = construct(case.target, Request(epsilon=1.1 * best), inputs=inputs)
    assert ticket.claims.sup_error <= 1.1 * best
    assert promise_holds(ticket)


@pytest.mark.parametrize("shares", [(1.0, 2.0**-30), (2.0**-30, 1.0), (2.0**-12, 2.0**-12)])
@pytest.mark.parametrize("times", [1.0, 1.5, 1e3, 1e12])
def test_a_map_at_its_finest_tolerance_is_made_up_for_by_the_others(shares, times):
    """Finest tolerances far above and far below the first proportion; at the least error they are the answer."""
    target = random_target((6, 9, 3))
    inputs = inputs_of(target, *SIGNED)
    finest = {path: 2.0**-8 * share for path, share in zip(target.graph.maps, shares, strict=True)}
    epsilon = times * least_error(target, finest, inputs)
    found = split_error(target, epsilon, inputs, finest=finest)
    assert all(found[path] >= finest[path] for path in finest)
    assert least_error(target, found, inputs) <= epsilon
    if times == 1.0:
        assert found == finest
    elif times == 1.5:
        assert least_error(target, found, inputs) > 0.5 * epsilon
