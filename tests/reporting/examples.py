"""Exhibits, evaluations and records to make pages of."""

from dataclasses import asdict

from slth.evidence import sizes, verify
from slth.records import Environment, Record
from slth.reporting import Exhibit
from slth.ticket import computed_digest, encode

HERE = Environment(versions={"slth": "0"}, commit=None, cpu="any", threads=1)


def exhibit(ticket, target=None, **more):
    checks = verify(ticket, target=target).checks
    return Exhibit("t.slth", ticket, len(encode(ticket)), "0" * 64, checks, target, **more)


def outcome(ticket, **more):
    """An evaluation as a record keeps it."""
    share = {"hits": 7, "count": 9, "value": 7 / 9, "interval": [0.4526, 0.9368]}
    names = ("target_accuracy", "changed", "measured_error", "unchanged_on_box", "unchanged_per_input")
    return {
        "data": "some data",
        "accuracy": share,
        "sizes": asdict(sizes(ticket)),
        "certified_error": ticket.claims.sup_error,
        "realised": computed_digest(ticket),
        **dict.fromkeys(names),
        **more,
    }


def evaluation(ticket):
    return Record("evaluate", {"ticket": "t.slth"}, outcome(ticket), {"evaluate": 1.25}, HERE)


# A stranger's text: markup, quotes, a mark that turns the direction, half a surrogate pair, a control character.
EVIL = "<script>alert(1)</script>&amp;\"'\u202e\ud800\x00"
SHOWN = "<script>alert(1)</script>&amp;\"'\ufffd\ufffd\ufffd"
