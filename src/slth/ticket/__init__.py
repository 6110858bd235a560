"""Tickets: a seed, the layout of a random network, one mask bit per random weight; `FORMAT.md` describes the file."""

from slth.ticket._fields import TicketError
from slth.ticket._metadata import MOST_MISSES
from slth.ticket.anatomy import Anatomy, Half, take_apart
from slth.ticket.format import DamagedTicketError, decode, encode, load
from slth.ticket.lift import MOST_CANDIDATES, Lift, LiftSpec, scan, signed_ranges
from slth.ticket.realise import (
    head_digest,
    pack,
    products,
    realise,
    realised_digest,
    slot_blocks,
    target_digest,
    unpack,
)
from slth.ticket.spec import Asked, Domain, LayerSpec, Miss, Provenance, TensorSpec
from slth.ticket.ticket import Ticket

__all__ = [
    "MOST_CANDIDATES",
    "MOST_MISSES",
    "Anatomy",
    "Asked",
    "DamagedTicketError",
    "Domain",
    "Half",
    "LayerSpec",
    "Lift",
    "LiftSpec",
    "Miss",
    "Provenance",
    "TensorSpec",
    "Ticket",
    "TicketError",
    "decode",
    "encode",
    "head_digest",
    "load",
    "pack",
    "products",
    "realise",
    "realised_digest",
    "scan",
    "signed_ranges",
    "slot_blocks",
    "take_apart",
    "target_digest",
    "unpack",
]
