"""Tickets: a seed, the random tensors it names, what is kept of them, what is claimed; `FORMAT.md` is the file."""

from slth.ticket.accounting import Account, Rivals, map_accounts, rivals_of, ticket_account
from slth.ticket.anatomy import Anatomy, Half, take_apart
from slth.ticket.assemble import constructed_ticket, learned_ticket
from slth.ticket.carried import CARRIED, check_carried, dtype_name
from slth.ticket.choice import FOUND, Candidate, Choice, choice_in, choice_rows
from slth.ticket.digests import as_in, graph_digest, network_digest, with_biases
from slth.ticket.effective import effective_digest, random_weights
from slth.ticket.exact import exact_tensors, kinds_of, own_affine
from slth.ticket.format import (
    DamagedTicketError,
    FileSizes,
    TicketError,
    decode,
    encode,
    file_sizes,
    load,
    save,
    stored_mask_bits,
    stored_sizes,
)
from slth.ticket.gadgets import (
    GADGETS,
    MOST_CANDIDATES,
    MOST_COORDINATES,
    Gadget,
    Lift,
    LiftSpec,
    Neurons,
    Packed,
    Problems,
    Stage,
    TwoLayer,
    bits_of,
    empty_masks,
    masks_in,
    scan,
    signed_ranges,
    stage_path,
)
from slth.ticket.identity import computed_digest
from slth.ticket.inputs import Inputs
from slth.ticket.network import Bound, Builtin, Network, network_name
from slth.ticket.plain import plain
from slth.ticket.provenance import BY_HAND, MOST_MISSES, Miss, Provenance
from slth.ticket.random_masks import control_noise, largest
from slth.ticket.realise import Sums, head_digest, pack, realise, realised_digest, target_digest
from slth.ticket.summary import moved, several, summary
from slth.ticket.tensors import RandomTensor, check_text
from slth.ticket.ticket import Ticket
from slth.ticket.words import kernel_of, map_words, maps_words, op_words, ops_words, with_steps

__all__ = [
    "BY_HAND",
    "CARRIED",
    "FOUND",
    "GADGETS",
    "MOST_CANDIDATES",
    "MOST_COORDINATES",
    "MOST_MISSES",
    "Account",
    "Anatomy",
    "Bound",
    "Builtin",
    "Candidate",
    "Choice",
    "DamagedTicketError",
    "FileSizes",
    "Gadget",
    "Half",
    "Inputs",
    "Lift",
    "LiftSpec",
    "Miss",
    "Network",
    "Neurons",
    "Packed",
    "Problems",
    "Provenance",
    "RandomTensor",
    "Rivals",
    "Stage",
    "Sums",
    "Ticket",
    "TicketError",
    "TwoLayer",
    "as_in",
    "bits_of",
    "check_carried",
    "check_text",
    "choice_in",
    "choice_rows",
    "computed_digest",
    "constructed_ticket",
    "control_noise",
    "decode",
    "dtype_name",
    "effective_digest",
    "empty_masks",
    "encode",
    "exact_tensors",
    "file_sizes",
    "graph_digest",
    "head_digest",
    "kernel_of",
    "kinds_of",
    "largest",
    "learned_ticket",
    "load",
    "map_accounts",
    "map_words",
    "maps_words",
    "masks_in",
    "moved",
    "network_digest",
    "network_name",
    "op_words",
    "ops_words",
    "own_affine",
    "pack",
    "plain",
    "random_weights",
    "realise",
    "realised_digest",
    "rivals_of",
    "save",
    "scan",
    "several",
    "signed_ranges",
    "stage_path",
    "stored_mask_bits",
    "stored_sizes",
    "summary",
    "take_apart",
    "target_digest",
    "ticket_account",
    "with_biases",
    "with_steps",
]
