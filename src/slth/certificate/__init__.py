"""Certificates: how far a realised network can be from its target, as numbers that anyone can recheck."""

from slth.certificate.claims import Certificate, LayerClaim
from slth.certificate.dense import certify, failed_claims
from slth.certificate.layers import Affine, Box, Realised
from slth.certificate.norms import spectral_norm_bound
from slth.certificate.predictions import per_input_error, rounded_logits, unchanged_on_box, unchanged_per_input

__all__ = [
    "Affine",
    "Box",
    "Certificate",
    "LayerClaim",
    "Realised",
    "certify",
    "failed_claims",
    "per_input_error",
    "rounded_logits",
    "spectral_norm_bound",
    "unchanged_on_box",
    "unchanged_per_input",
]
