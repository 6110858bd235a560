"""Constructions: a trained network's coefficients become the masks of a random network."""

from slth.construction.chances import miss_probability
from slth.construction.compensation import Calibration
from slth.construction.costs import Costs, Planning, Seconds, coordinates_of, costs_of
from slth.construction.law import first_moment, miss_law, theorem
from slth.construction.layout import Layout, lay_out
from slth.construction.makers import MAKERS, Maker
from slth.construction.moved import Moved
from slth.construction.objective_chances import kept_of
from slth.construction.objectives import OBJECTIVES, Objective, Subsets, within
from slth.construction.outline import Outline, outline
from slth.construction.parts import Parts, discard, keep_parts
from slth.construction.plan import Request, construct, plan_layout, plan_maps, plan_outline, promise_holds
from slth.construction.question import question
from slth.construction.recipe import Recipe
from slth.construction.solve import solve
from slth.construction.split import split_error
from slth.construction.width import Width, gain, gain_of

__all__ = [
    "MAKERS",
    "OBJECTIVES",
    "Calibration",
    "Costs",
    "Layout",
    "Maker",
    "Moved",
    "Objective",
    "Outline",
    "Parts",
    "Planning",
    "Recipe",
    "Request",
    "Seconds",
    "Subsets",
    "Width",
    "construct",
    "coordinates_of",
    "costs_of",
    "discard",
    "first_moment",
    "gain",
    "gain_of",
    "keep_parts",
    "kept_of",
    "lay_out",
    "miss_law",
    "miss_probability",
    "outline",
    "plan_layout",
    "plan_maps",
    "plan_outline",
    "promise_holds",
    "question",
    "solve",
    "split_error",
    "theorem",
    "within",
]
