"""Constructions: a trained network's coefficients become the masks of a random network."""

from slth.construction.chances import miss_probability
from slth.construction.costs import Costs, Planning, Seconds, costs_of
from slth.construction.law import first_moment, miss_law, theorem
from slth.construction.layout import Layout, lay_out
from slth.construction.objectives import Objective, within
from slth.construction.outline import Outline, outline
from slth.construction.plan import Request, construct, plan_layout, plan_maps, plan_outline, promise_holds
from slth.construction.solve import solve
from slth.construction.split import split_error
from slth.construction.width import gain

__all__ = [
    "Costs",
    "Layout",
    "Objective",
    "Outline",
    "Planning",
    "Request",
    "Seconds",
    "construct",
    "costs_of",
    "first_moment",
    "gain",
    "lay_out",
    "miss_law",
    "miss_probability",
    "outline",
    "plan_layout",
    "plan_maps",
    "plan_outline",
    "promise_holds",
    "solve",
    "split_error",
    "theorem",
    "within",
]
