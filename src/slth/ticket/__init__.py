"""Tickets, constructed or learned: a seed, the layout of a random network, its mask; `FORMAT.md` describes the file."""

from slth.ticket._fields import TicketError
from slth.ticket._metadata import MOST_MISSES
from slth.ticket._plain import plain
from slth.ticket.anatomy import Anatomy, Half, take_apart
from slth.ticket.effective import effective_digest, random_weights
from slth.ticket.format import DamagedTicketError, decode, encode, load, load_constructed
from slth.ticket.learned import LearnedTicket, learned_ticket
from slth.ticket.learned_spec import InputSpec, LearnedProvenance, MaskedTensor, NetworkSpec
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
    "InputSpec",
    "LayerSpec",
    "LearnedProvenance",
    "LearnedTicket",
    "Lift",
    "LiftSpec",
    "MaskedTensor",
    "Miss",
    "NetworkSpec",
    "Provenance",
    "TensorSpec",
    "Ticket",
    "TicketError",
    "decode",
    "effective_digest",
    "encode",
    "head_digest",
    "learned_ticket",
    "load",
    "load_constructed",
    "pack",
    "plain",
    "products",
    "random_weights",
    "realise",
    "realised_digest",
    "scan",
    "signed_ranges",
    "slot_blocks",
    "take_apart",
    "target_digest",
    "unpack",
]
