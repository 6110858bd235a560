"""Constructions: a trained network's coefficients become the masks of a random network."""

from slth.construction.layout import Layout, lay_out
from slth.construction.objectives import Objective, within
from slth.construction.parts import Parts, discard, keep_parts
from slth.construction.plan import Request, construct, plan_layout, promise_holds
from slth.construction.question import question
from slth.construction.solve import solve
from slth.construction.split import split_error
from slth.construction.width import first_moment, gain, miss_probability, theorem

__all__ = [
    "Layout",
    "Objective",
    "Parts",
    "Request",
    "construct",
    "discard",
    "first_moment",
    "gain",
    "keep_parts",
    "lay_out",
    "miss_probability",
    "plan_layout",
    "promise_holds",
    "question",
    "solve",
    "split_error",
    "theorem",
    "within",
]
