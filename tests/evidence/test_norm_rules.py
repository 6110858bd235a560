"""Where norms are bounded by a looser rule, the claim, its file, `verify`, `show` and the report say so."""

from dataclasses import replace

import numpy as np
import pytest

import slth
from slth.certificate import Certificate, MapClaim, failed_claims
from slth.construction import Request, construct
from slth.evidence import verify
from slth.graph import INPUT, Affine, Conv, Graph, Linear, Node, Realised, Target
from slth.reporting import Exhibit, page
from slth.ticket import Inputs, load, save


@pytest.mark.parametrize("rule", ["spectral", "grid/4", "flattened"])
def test_a_looser_rule_is_named_wherever_it_matters(rule, tmp_path, monkeypatch):
    basis = Conv(2, 3, (3, 3), (1, 1), (1,) * 4, (1, 1))
    weight = np.random.default_rng(0).normal(size=(3, 2, 9))
    graph = Graph((Node("conv", Linear("conv", basis, False), (INPUT,)),))
    target = Target(graph, {"conv": Affine(weight, None)}, input_shape=(2, 4, 4))
    with monkeypatch.context() as patch:
        patch.setattr(Conv, "norms", rule)
        ticket = construct(target, Request(tolerance=0.01), inputs=Inputs((2, 4, 4), lower=(0.0,), upper=(1.0,)))
    save(ticket, tmp_path / "t.slth")
    loaded = load(tmp_path / "t.slth")
    assert loaded.claims.maps["conv"].norms == rule
    verification = verify(loaded, target=target)
    assert verification.holds
    named = rule != "spectral"
    assert (f"norms of large maps by {rule}" in str(verification)) == named
    assert (f"norms {rule}" in str(slth.show(tmp_path / "t.slth"))) == named
    assert (f"({rule})" in page([Exhibit("t.slth", ticket, 1, "0" * 64, ())])) == named


def test_a_rule_that_takes_far_more_work_than_the_map_is_given_fails_at_once():
    """46,656 weights on a grid of 1,048,576 points: a file of a few KB must not keep its checker busy for hours."""
    basis = Conv(8, 8, (9, 9, 9), (1,) * 3, (0,) * 6, (1,) * 3)
    op = Linear("conv", basis, False)
    target = Target(Graph((Node("conv", op, (INPUT,)),)), {"conv": Affine(np.ones(op.coefficients), None)})
    claim = MapClaim(0.1, 0.0, 0.0, 0, 1.0, None, None, norms="spectral")
    part = Realised(np.ones(op.coefficients), None, None, np.zeros(8, bool))
    asked: list[str] = []

    def realised(path):
        asked.append(path)
        return part

    found = failed_claims(Certificate({"conv": claim}, None, None, None), target, realised, box=None)
    assert len(found) == 1
    assert "norms by spectral would take" in found[0]
    assert not asked
    honest = replace(claim, norms=basis.norms, operator_error=1e-6)
    assert failed_claims(Certificate({"conv": honest}, None, None, None), target, realised, box=None) == []
