"""The file of a ticket: strict, canonical, the same bytes everywhere. `FORMAT.md` is the specification."""

from slth.ticket.format.container import DamagedTicketError, decode, encode, stored_mask_bits
from slth.ticket.format.fields import TicketError
from slth.ticket.format.files import load, save

__all__ = ["DamagedTicketError", "TicketError", "decode", "encode", "load", "save", "stored_mask_bits"]
