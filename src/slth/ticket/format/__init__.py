"""The file of a ticket: strict, canonical, the same bytes everywhere. `FORMAT.md` is the specification."""

from slth.ticket.format.container import DamagedTicketError, FileSizes, decode, encode, file_sizes, stored_mask_bits
from slth.ticket.format.fields import TicketError
from slth.ticket.format.files import load, save, stored_sizes

__all__ = [
    "DamagedTicketError",
    "FileSizes",
    "TicketError",
    "decode",
    "encode",
    "file_sizes",
    "load",
    "save",
    "stored_mask_bits",
    "stored_sizes",
]
