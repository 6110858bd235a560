"""A table reads exactly its keys, each of its kind, and writes what it reads."""

import json
import re

import pytest

from slth.ticket import TicketError
from slth.ticket.format import v1_claims, v1_constructed, v1_learned, v1_provenance
from slth.ticket.format.fields import UnknownKeysError, canonical, parse
from slth.ticket.format.schema import (
    ANY,
    BOUND,
    DIGEST,
    FLAG,
    OBJECT,
    POWER_OF_TWO,
    SEED,
    Kind,
    Table,
    fixed,
    integer,
    joined,
    name_of,
    number,
    one_of,
    optional,
    row_of,
    text,
    tuple_of,
)

PAIR = row_of(integer(0, 9), text(), expected="[count, name]")
KINDS = {  # a kind, members it reads with what they become, and the smallest wrong ones with what is said of them
    "integer": (
        integer(-1, 2),
        {-1: -1, 2: 2},
        {"-2": "an integer from -1 to 2", "3": "got 3", "1.0": "got 1.0", "true": "got True", '"1"': "got '1'"},
    ),
    "number": (
        number(0.0, 1.0),
        {0.0: 0.0, 1.0: 1.0},
        {"-5e-324": "from 0 to 1", "1.0000000000000002": "from 0 to 1", "1": "got 1", "true": "True", "1e999": "inf"},
    ),
    "text": (
        text(3),
        {"": "", "abc": "abc"},
        {'"abcd"': "at most 3 characters", '"\\n"': "printable", '"\\ud800"': "printable", "1": "1", "null": "None"},
    ),
    "text, not empty": (text(3, least=1), {"a": "a"}, {'""': "a printable text of 1 to 3 characters; got ''"}),
    "one_of": (
        one_of("bits", "rans"),
        {"bits": "bits"},
        {'""': "one of bits, rans", '"Bits"': "'Bits'", "null": "None", "[]": "list"},
    ),
    "fixed": (fixed(0.5), {0.5: 0.5}, {"0.25": "expected 0.5; got 0.25", "1": "got 1", '"0.5"': "got '0.5'"}),
    "fixed integer": (fixed(1), {1: 1}, {"true": "got True", "1.0": "got 1.0"}),
    "optional": (optional(integer(0, 1)), {None: None, 1: 1}, {"2": "from 0 to 1", "false": "got False"}),
    "tuple_of": (
        tuple_of(integer(0, 1), 2),
        {(): (), (0, 1): (0, 1)},
        {"[0, 0, 0]": "at most 2 members", "[0, 2]": r"x\.1: expected an integer", "{}": "dict", "null": "None"},
    ),
    "row_of": (
        PAIR,
        {(1, "a"): (1, "a")},
        {"[1]": r"\[count, name\]; got", '[1, "a", 0]': "at most 2 members", '["a", 1]': r"x\.0: .*'a'", "0": "0"},
    ),
    "flag": (FLAG, {True: True, False: False}, {"0": "true or false; got 0", "null": "None", '"true"': "'true'"}),
    "object": (OBJECT, {}, {"[]": "an object; got list", "null": "None", "1": "got 1"}),
    "seed": (
        SEED,
        {"0": 0, "10": 10},
        {'"01"': "a decimal integer", '"-1"': "decimal", '"1.0"': "decimal", '"\u0661"': "decimal", '""': "decimal"}
        | {f'"{"9" * 101}"': "at most 100 characters"},
    ),
    "digest": (
        DIGEST,
        {"0f" * 32: "0f" * 32},
        {f'"{"0" * 63}"': "64 hexadecimal", f'"{"0" * 65}"': "at most 64", f'"{"F" * 64}"': "64 hexadecimal", "0": "0"},
    ),
    "power of two": (
        POWER_OF_TWO,
        {0.5: 0.5, 2.0**200: 2.0**200, 2.0**-200: 2.0**-200},
        {"0.75": "a power of two", "0.0": "from 6.2", "-0.5": "from 6.2", "1": "got 1", f"{2.0**201!r}": "to 1.6"},
    ),
    "bound": (
        BOUND,
        {0.0: 0.0, 2.5: 2.5, 3: 3.0},
        {"-5e-324": "from 0 to inf", "-1": "got -1", "1e999": "inf", f"{2**53 + 1}": "got 9007199", "true": "True"},
    ),
}  # fmt: skip


def plain(value):
    return list(value) if isinstance(value, tuple) else value


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_reads_its_members_and_writes_them_back(name):
    kind, good, _ = KINDS[name]
    for member, value in good.items():
        read = kind.read(json.loads(json.dumps(plain(member))), "x")
        assert read == value
        assert type(read) is type(value)
        assert kind.read(json.loads(json.dumps(kind.write(value))), "x") == value


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_refuses_its_smallest_wrong_members_by_name(name):
    kind, _, wrong = KINDS[name]
    for member, reason in wrong.items():
        with pytest.raises(TicketError, match=reason) as caught:
            kind.read(json.loads(member), "x")
        assert re.match(r"x(\.\d+)?: expected ", str(caught.value)), caught.value
        assert str(caught.value).isprintable()


def test_a_table_refuses_a_key_more_and_a_key_less():
    table = Table(a=integer(0, 9), b=optional(text()))
    assert table.read({"a": 1, "b": None}, "x") == {"a": 1, "b": None}
    assert list(table.read({"b": "t", "a": 1}, "x")) == ["a", "b"]
    for wrong in ({"a": 1}, {"a": 1, "b": None, "c": 0}, {"a": 1, "B": None}, {}):
        with pytest.raises(TicketError, match=r"x: expected the keys a, b; got \["):
            table.read(wrong, "x")
    for other in ([], None, "ab", 1, [["a", 1], ["b", None]]):
        with pytest.raises(TicketError, match="x: expected an object; got"):
            table.read(other, "x")
    with pytest.raises(TicketError, match=r"x\.a: expected an integer from 0 to 9; got -1"):
        table.read({"a": -1, "b": None}, "x")


def test_a_member_that_joined_later_stands_only_where_it_differs():
    """So a file has one spelling, that of before where it says no more; another key too many is still refused."""
    table = Table(
        a=integer(0, 9), lift=joined(name_of("relu", "linear"), "relu"), most=joined(optional(number()), None)
    )
    short, long = {"a": 1}, {"a": 1, "lift": "linear", "most": 1.0}
    assert table.read(short, "x") == {"a": 1, "lift": "relu", "most": None}
    assert table.read(long, "x") == long
    for data in (short, long):
        assert table.write(table.read(data, "x")) == data
    for key, default in (("lift", "relu"), ("most", None)):
        with pytest.raises(TicketError, match=rf"x\.{key}: expected no such key where it is {default!r}"):
            table.read({"a": 1, key: default}, "x")
    with pytest.raises(UnknownKeysError, match="x: expected the keys a; got"):
        table.read({"a": 1, "more": 0}, "x")
    with pytest.raises(TicketError, match="x: expected the keys a; got") as caught:
        table.read({"lift": "linear"}, "x")
    assert not isinstance(caught.value, UnknownKeysError)


def test_a_table_inside_a_list_inside_a_table_names_the_member():
    inner = Table(a=integer(0, 9))
    table = Table(rows=tuple_of(Kind(inner.read, inner.write), 5))
    with pytest.raises(TicketError, match=r"x\.rows\.1\.a: expected an integer from 0 to 9; got 10"):
        table.read({"rows": [{"a": 1}, {"a": 10}]}, "x")


def test_a_table_writes_exactly_its_keys():
    table = Table(a=SEED, b=tuple_of(ANY, 3))
    assert table.write({"a": 5, "b": (1, 2)}) == {"a": "5", "b": [1, 2]}
    for wrong in ({"a": 5}, {"a": 5, "b": (), "c": 0}):
        with pytest.raises(KeyError):
            table.write(wrong)


V1 = (v1_claims, v1_constructed, v1_learned, v1_provenance)
TABLES = {f"{module.__name__.rsplit('.')[-1]}.{name}": table for module in V1
          for name, table in vars(module).items() if isinstance(table, Table)}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_every_table_of_version_1_refuses_a_key_more_and_every_key_less(name):
    """Whatever the members are: the keys are looked at first."""
    table = TABLES[name]
    keys = dict.fromkeys(table.kinds)
    for wrong in ({**keys, "more": None}, *({k: None for k in keys if k != less} for less in keys)):
        with pytest.raises(TicketError, match=rf"expected the keys {', '.join(sorted(keys))}; got"):
            table.read(wrong, "x")


def test_keys_that_stand_twice_and_numbers_that_are_none_are_no_json():
    for wrong in ('{"a":1,"a":1}', '{"a":{"b":1,"b":2}}', "[NaN]", "[Infinity]", "-Infinity", "", "{", "[1,]", "1 2"):
        with pytest.raises(TicketError, match="the text"):
            parse(wrong, "the text")
    for deep in (10**5, 10**6):
        with pytest.raises(TicketError, match="not valid JSON"):
            parse("[" * deep, "the text")


def test_plain_data_has_one_text():
    data = {"b": [1.0, 0.1, -0.0, 5e-324], "a": {"ü": None, "A": True}}
    assert canonical(data) == '{"a":{"A":true,"\\u00fc":null},"b":[1.0,0.1,-0.0,5e-324]}'
    assert canonical(parse(canonical(data), "x")) == canonical(data)
    with pytest.raises(ValueError, match="JSON"):
        canonical(float("nan"))
