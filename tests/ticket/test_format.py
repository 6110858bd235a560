"""The file of a constructed ticket: what is written is read back, and nothing else is accepted."""

import json

import pytest
from attacks.sealing import changed, parts, sealed
from helpers.tickets import any_ticket

from slth.ticket import DamagedTicketError, TicketError, decode, encode


@pytest.fixture(scope="module")
def data():
    return encode(any_ticket()[0])


def test_what_is_written_is_read_back(data):
    ticket, read = any_ticket()[0], decode(data)
    assert encode(read) == data
    for name in ("seed", "network", "gadgets", "inputs", "tensors", "heads", "digests", "claims", "provenance"):
        assert getattr(read, name) == getattr(ticket, name), name
    assert read.masks.keys() == ticket.masks.keys()
    assert all((read.masks[path] == ticket.masks[path]).all() for path in ticket.masks)


def test_the_helper_of_these_tests_writes_the_same_bytes(data):
    assert sealed(*parts(data)) == data


def test_the_safetensors_library_reads_the_file(data, tmp_path):
    from safetensors import safe_open

    (tmp_path / "t.slth").write_bytes(data)
    with safe_open(tmp_path / "t.slth", framework="numpy") as file:
        assert set(file.metadata()) == {"slth"}
        assert [file.get_tensor(f"layers/{i}/mixing.mask").tobytes() for i in range(2)] == parts(data)[1]


def test_every_single_bit_flip_is_rejected(data):
    for at in range(len(data)):
        for bit in range(8):
            flipped = bytearray(data)
            flipped[at] ^= 1 << bit
            with pytest.raises(TicketError):
                decode(bytes(flipped))


def test_every_truncation_and_extension_is_rejected(data):
    for end in range(len(data)):
        with pytest.raises(TicketError):
            decode(data[:end])
    with pytest.raises(TicketError):
        decode(data + b"\0")


def test_a_changed_mask_is_damage_and_a_foreign_file_is_not(data):
    changed = data[:-1] + bytes([data[-1] ^ 1])
    with pytest.raises(DamagedTicketError, match="digest"):
        decode(changed)
    for foreign in (b"", b"PK\x03\x04" + bytes(100), bytes(1000), b"\x02\0\0\0\0\0\0\0{}"):
        with pytest.raises(TicketError, match="not a ticket") as error:
            decode(foreign)
        assert not isinstance(error.value, DamagedTicketError)


def test_a_newer_version_asks_for_an_update(data):
    meta, masks = parts(data)
    with pytest.raises(TicketError, match=r"format version 3.*update slth"):
        decode(sealed({**meta, "format": 3}, masks))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("format", "1"),
        ("format", True),
        ("format", 0),
        ("seed", 5),
        ("seed", "-5"),
        ("seed", "05"),
        ("seed", "٥"),
        ("seed", "9" * 101),
        ("stream", "philox4x32-10/v2"),
        ("network.kind", "bound"),
        ("network.name", "os.system"),
        ("network.arguments.widths", [3, 4]),
        ("network.arguments.widths", [3, 2**41, 2]),
        ("network.arguments.widths.0", True),
        ("network.arguments.bias", [1, 1]),
        ("domain.range", [[1.0], [0.0]]),
        ("domain.range", [[-1.0, -1.0], [1.0, 1.0]]),
        ("domain.range", [[-1], [1]]),
        ("domain.range", [[0.0], [1.0]]),
        ("domain.normalize", [0.0, 0.0]),
        ("layers.0.gain", 0.75),
        ("layers.0.gain", -0.5),
        ("layers.0.gain", 2.0**201),
        ("layers.0.gain", 1),
        ("layers.0.bias_gain", 0.0),
        ("layers.0.lift.candidates", 0),
        ("layers.0.lift.candidates", 65),
        ("layers.0.lift.candidates", 4),
        ("layers.0.lift.constants", 0),
        ("layers.0.lift.neurons", 1),
        ("layers.0.lift.neurons", 2**60),
        ("layers.0.lift.threshold", 0.25),
        ("layers.0.lift.signed", []),
        ("layers.0.lift.signed", [[0, 4]]),
        ("layers.0.lift.signed", [[0, 2], [2, 3]]),
        ("layers.0.lift.signed", [[0, 2], [1, 3]]),
        ("layers.0.lift.signed", [[0, 3, 3]]),
        ("layers.1.lift.signed", [[0, 1]]),
        ("layers.0.mask.encoding", "gzip"),
        ("layers.0.mask.encoding", "rans"),
        ("layers.0.mask.bytes", 10**9),
        ("layers.0.realised", "A" * 64),
        ("layers.0.realised", "0" * 63),
        ("layers", []),
        ("tensors.0.path", "../../etc/passwd"),
        ("tensors.0.law", "normal"),
        ("tensors.0.scale", 2.0),
        ("tensors.0.shape", [1, 3]),
        ("tensors.0.head", ""),
        ("tensors", []),
        ("carried", [1]),
        ("bounds.sup_error", -1.0),
        ("bounds.layers", []),
        ("bounds.layers.0.misses", -1),
        ("bounds.layers.0.weight_error", None),
        ("bounds", {}),
        ("provenance.asked.tolerance", 0.0),
        ("provenance.asked.tolerance", None),
        ("provenance.asked.epsilon", 0.1),
        ("provenance.asked.failure_probability", 1.0),
        ("provenance.asked.candidates", 65),
        ("provenance.attempts", 0),
        ("provenance.target", "x"),
        ("provenance.names", [["w", None], ["v", "b"]]),
        ("provenance.names", []),
        ("provenance.misses", [[0, 0, 0, "positive"]]),
        ("provenance.misses", [[9, 0, 0, "positive", 1.0]]),
        ("provenance.misses", [[0, 0, 0, "both", 1.0]]),
        ("provenance.version", "v" * 101),
        ("provenance", ...),
        ("extra", 1),
    ],
)
def test_a_sealed_file_with_one_bad_field_is_rejected_by_name(data, path, value):
    meta, masks = parts(data)
    with pytest.raises(TicketError) as error:
        decode(sealed(changed(meta, path, value), masks))
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 600


def test_metadata_in_another_spelling_is_rejected(data):
    meta, masks = parts(data)
    loose = json.dumps({**meta, "digest": "0" * 64}, sort_keys=True)
    tight = json.dumps({**meta, "digest": "0" * 64}, sort_keys=True, separators=(",", ":"))
    twice = tight[:-1] + ',"seed":"5"}'
    nan = tight.replace('"tolerance":0.5', '"tolerance":NaN')
    deep = tight.replace('"carried":[]', '"carried":' + "[" * 100_000 + "]" * 100_000)
    for text in (loose, twice, nan, deep, tight.replace('"gain":0.5', '"gain":0.50')):
        with pytest.raises(TicketError):
            decode(sealed(meta, masks, text=text))


def test_a_header_that_lies_about_the_layout_is_rejected(data):
    meta, masks = parts(data)
    name = "layers/0/mixing.mask"

    def lie(**fields):
        return lambda entries: {**entries, name: {**entries[name], **fields}}

    whole = len(masks[0])
    lies = [
        lie(dtype="I8"),
        lie(shape=[whole, 1]),
        lie(data_offsets=[0, whole - 1]),
        lie(data_offsets=[1, whole]),
        lie(data_offsets=[0, 2**63]),
        lambda entries: dict(reversed(entries.items())),
        lambda entries: {**entries, "extra": {"dtype": "U8", "shape": [0], "data_offsets": [0, 0]}},
        lambda entries: {**entries, "__metadata__": {**entries["__metadata__"], "more": "x"}},
    ]
    for runs in lies:
        with pytest.raises(TicketError):
            decode(sealed(meta, masks, entries=runs))
    with pytest.raises(TicketError, match="layout"):
        decode(sealed(meta, [*masks, b"hidden"], entries=lambda e: {k: v for k, v in e.items() if "/2/" not in k}))
