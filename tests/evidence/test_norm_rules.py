"""Where norms are bounded by a looser rule, the claim, its file, `verify`, `show` and the report say so."""

import numpy as np
import pytest

import slth
from slth.construction import Request, construct
from slth.evidence import verify
from slth.graph import INPUT, Affine, Conv, Graph, Linear, Node, Target
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
