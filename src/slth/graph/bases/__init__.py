"""Bases: which linear map a tensor of coefficients stands for. One file per kind, one line here."""

from slth.graph.bases.basis import Basis
from slth.graph.bases.dense import Dense

BASES: dict[str, type[Basis]] = {"dense": Dense}

__all__ = ["BASES", "Basis", "Dense"]
