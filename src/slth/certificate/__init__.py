"""Certificates: how far a realised network can be from its target, as numbers that anyone can recheck."""

from slth.certificate.certify import Rechecked, certify, computed, failed_claims, rechecked
from slth.certificate.claims import Certificate, MapClaim
from slth.certificate.decisions import Decision, Largest, Sign
from slth.certificate.errors import Norms
from slth.certificate.exact import (
    WHOLE,
    Compared,
    Exact,
    ExactMap,
    compared,
    exact_numbers,
    prove,
    real_numbers,
    tolerances,
)
from slth.certificate.predictions import PerInput, per_input_error, proved_per_input, unchanged_on_box
from slth.certificate.statistical import Statistical, clopper_pearson

__all__ = [
    "WHOLE",
    "Certificate",
    "Compared",
    "Decision",
    "Exact",
    "ExactMap",
    "Largest",
    "MapClaim",
    "Norms",
    "PerInput",
    "Rechecked",
    "Sign",
    "Statistical",
    "certify",
    "clopper_pearson",
    "compared",
    "computed",
    "exact_numbers",
    "failed_claims",
    "per_input_error",
    "prove",
    "proved_per_input",
    "real_numbers",
    "rechecked",
    "tolerances",
    "unchanged_on_box",
]
