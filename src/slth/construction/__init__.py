"""Constructions: a trained network's coefficients become the masks of a random network. One file per theorem."""

from slth.construction.two_layer import Plan, construct, default_candidates, gain

__all__ = ["Plan", "construct", "default_candidates", "gain"]
