"""Constructions: a trained network's coefficients become the masks of a random network. One file per theorem."""

from slth.construction.plan import Plan, construct, plan_layout, promise_holds
from slth.construction.split import split_error
from slth.construction.two_layer import Layout, lay_out, solve
from slth.construction.width import first_moment, gain, miss_probability, theorem

__all__ = [
    "Layout",
    "Plan",
    "construct",
    "first_moment",
    "gain",
    "lay_out",
    "miss_probability",
    "plan_layout",
    "promise_holds",
    "solve",
    "split_error",
    "theorem",
]
