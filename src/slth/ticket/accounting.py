r"""What a ticket takes in its file, beside what its target would take within the same error.

The ticket says every coefficient within τ. So does a uniform quantiser of step 2τ, whose errors are spread evenly over
[−τ, τ] as the ticket's are: the same largest and the same mean squared error. Its bits are those of a static entropy
coder, of the coefficients that the ticket realises, P and b̂. The packing bound holds for every code that serves all
coefficients of size at most the largest. See `slth.numerics.rates`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from slth.graph import Realised, of_channels
from slth.numerics import half_step, packing_bits, quantiser_bits
from slth.ticket.format import FileSizes
from slth.ticket.ticket import Ticket


@dataclass(frozen=True, slots=True)
class Account:
    """Of a map, or of a whole ticket; bits of a map are those of its masks, of a ticket those of its file."""

    weights: int  # parameters of the target, biases included
    candidates: int  # random numbers that the masks choose from: one a bit, of mirrored pairs two; or neurons
    kept: int  # of these
    density: float  # kept entries of the random tensors ÷ all of them
    bits: int
    rivals: "Rivals | None"  # where nothing is claimed, or coefficients were not regenerated, none

    def as_data(self) -> dict[str, Any]:
        """Plain data, per candidate and per weight of the target."""
        rivals = self.rivals
        return {
            "weights": self.weights,
            "candidates": self.candidates,
            "candidates_per_weight": self.candidates / self.weights,
            "kept": self.kept,
            "kept_per_candidate": self.kept / self.candidates,
            "kept_per_weight": self.kept / self.weights,
            "density": self.density,
            "bits_per_weight": self.bits / self.weights,
            "quantiser_bits_per_weight": None if rivals is None else rivals.quantiser / self.weights,
            "packing_bits_per_weight": None if rivals is None else rivals.packing / self.weights,
        }


@dataclass(frozen=True, slots=True)
class Rivals:
    """Bits of all coefficients within the tolerance."""

    quantiser: float  # uniform, with an entropy coder
    packing: float  # none can take less of all coefficients of this size

    def words(self, weights: int) -> str:
        """A sentence, per weight of the target."""
        return (
            f"{self.quantiser / weights:.2f} bits per target parameter from a uniform quantiser with an entropy coder; "
            f"{self.packing / weights:.2f} is the packing bound"
        )


def map_accounts(
    ticket: Ticket, sizes: FileSizes, realised: Mapping[str, Realised] | None = None
) -> dict[str, Account]:
    """Of every map, by path.

    Args:
        realised: the coefficients, by path, where they are known.
    """
    return {path: _of_map(ticket, path, sizes, (realised or {}).get(path)) for path in ticket.maps}


def ticket_account(ticket: Ticket, sizes: FileSizes, maps: Mapping[str, Account]) -> Account:
    """Of the ticket, whose maps are known."""
    rivals = [account.rivals for account in maps.values()]
    known = [one for one in rivals if one is not None]
    added = Rivals(sum(one.quantiser for one in known), sum(one.packing for one in known))
    return Account(
        weights=ticket.target_parameters,
        candidates=ticket.candidate_count,
        kept=ticket.candidates_kept,
        density=ticket.density,
        bits=8 * sizes.total,
        rivals=added if len(known) == len(rivals) > 0 else None,
    )


def rivals_of(weight: np.ndarray, bias: np.ndarray | None, tolerance: float) -> Rivals:
    """Bits of the coefficients of a map within a tolerance; of 0, on the grid on which they lie."""
    parts = [(part, half_step(part, tolerance)) for part in (weight, bias) if part is not None]
    return Rivals(
        sum(quantiser_bits(part, half) for part, half in parts),
        sum(part.size * packing_bits(float(np.abs(part).max(initial=0.0)), half) for part, half in parts),
    )


def _of_map(ticket: Ticket, path: str, sizes: FileSizes, realised: Realised | None) -> Account:
    op, gadget = ticket.maps[path], ticket.gadgets[path]
    tensors = [ticket.tensor(tensor.path) for tensor in gadget.tensors(path, op)]
    masked = gadget.mask_bits(path, op)
    rivals = None
    if realised is not None and ticket.claims is not None:
        made = ticket.copies_made.get(path, 1)  # a rival stores one copy
        weight = of_channels(realised.positive, ticket.copies.get(path, 1))[::made]
        bias = None if realised.bias is None else realised.bias[::made]
        rivals = rivals_of(weight, bias, ticket.claims.maps[path].tolerance)
    return Account(
        weights=ticket.target_weights(path),
        candidates=ticket.map_candidates(path),
        kept=ticket.map_candidates_kept(path),
        density=sum(tensor.kept for tensor in tensors) / sum(tensor.size for tensor in tensors),
        bits=8 * sum(sizes.masks.get(tensor, 0) for tensor in masked),
        rivals=rivals,
    )
