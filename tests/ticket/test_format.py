"""The file format: what is written is read back, and nothing else is accepted."""

import hashlib
import itertools
import json
import re
import subprocess
import sys
import zlib
from dataclasses import replace

import numpy as np
import pytest
from helpers.tickets import any_ticket

from slth import InputError
from slth.ticket import DamagedTicketError, TicketError, decode, encode, load, pack


@pytest.fixture(scope="module")
def data():
    return encode(any_ticket()[0])


def metadata(data):
    header = data[8 : 8 + int.from_bytes(data[:8], "little")]
    return json.loads(json.loads(header)["__metadata__"]["slth"])


def sealed(meta, masks, *, text=None, runs=None):
    """A file with a correct digest around any metadata."""
    text = text or json.dumps({**meta, "digest": "0" * 64}, sort_keys=True, separators=(",", ":"))
    entries, at = {"__metadata__": {"slth": text}}, 0
    for i, mask in enumerate(masks):
        entries[f"layers/{i}/mixing.mask"] = {"dtype": "U8", "shape": [len(mask)], "data_offsets": [at, at + len(mask)]}
        at += len(mask)
    raw = json.dumps(runs(entries) if runs else entries, separators=(",", ":")).encode()
    raw += b" " * (-len(raw) % 8)
    body = len(raw).to_bytes(8, "little") + raw + b"".join(masks)
    return body.replace(b'digest\\":\\"' + b"0" * 64, b'digest\\":\\"' + hashlib.sha256(body).hexdigest().encode(), 1)


def masks_of(data):
    start = 8 + int.from_bytes(data[:8], "little")
    sizes = [layer["mask"]["bytes"] for layer in metadata(data)["layers"]]
    ends = np.cumsum([start, *sizes])
    return [data[a:b] for a, b in itertools.pairwise(ends)]


def test_what_is_written_is_read_back(data):
    ticket, read = any_ticket()[0], decode(data)
    assert encode(read) == data
    for name in ("seed", "network", "domain", "layers", "heads", "digests", "certificate", "provenance"):
        assert getattr(read, name) == getattr(ticket, name)
    assert all((a == b).all() for a, b in zip(read.masks, ticket.masks, strict=True))


def test_the_helper_of_these_tests_writes_the_same_bytes(data):
    assert sealed(metadata(data), masks_of(data)) == data


def test_the_safetensors_library_reads_the_file(data, tmp_path):
    from safetensors import safe_open

    (tmp_path / "t.slth").write_bytes(data)
    with safe_open(tmp_path / "t.slth", framework="numpy") as file:
        assert set(file.metadata()) == {"slth"}
        assert [file.get_tensor(f"layers/{i}/mixing.mask").tobytes() for i in range(2)] == masks_of(data)


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


def test_a_huge_header_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "huge.slth"
    with open(path, "wb") as file:
        file.write((2**40).to_bytes(8, "little"))
        file.truncate(2**34)  # sparse: reading it would take 16 GiB
    with pytest.raises(TicketError, match="header would be"):
        load(path)


def test_a_newer_version_asks_for_an_update(data):
    with pytest.raises(TicketError, match=r"format version 2.*update slth"):
        decode(sealed({**metadata(data), "format": 2}, masks_of(data)))


def changed(meta, path, value):
    """The metadata with one value replaced; path as in layers.0.gain."""
    copy = json.loads(json.dumps(meta))
    *parents, last = path.split(".")
    node = copy
    for key in parents:
        node = node[int(key) if isinstance(node, list) else key]
    if value is ...:
        del node[last]
    else:
        node[int(last) if isinstance(node, list) else last] = value
    return copy


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
    with pytest.raises(TicketError) as error:
        decode(sealed(changed(metadata(data), path, value), masks_of(data)))
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 600


def test_metadata_in_another_spelling_is_rejected(data):
    meta, masks = metadata(data), masks_of(data)
    loose = json.dumps({**meta, "digest": "0" * 64}, sort_keys=True)
    tight = json.dumps({**meta, "digest": "0" * 64}, sort_keys=True, separators=(",", ":"))
    twice = tight[:-1] + ',"seed":"5"}'
    nan = tight.replace('"tolerance":0.5', '"tolerance":NaN')
    deep = tight.replace('"carried":[]', '"carried":' + "[" * 100_000 + "]" * 100_000)
    for text in (loose, twice, nan, deep, tight.replace('"gain":0.5', '"gain":0.50')):
        with pytest.raises(TicketError):
            decode(sealed(meta, masks, text=text))


def test_a_header_that_lies_about_the_layout_is_rejected(data):
    meta, masks = metadata(data), masks_of(data)
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
            decode(sealed(meta, masks, runs=runs))
    with pytest.raises(TicketError, match="layout"):
        decode(sealed(meta, [*masks, b"hidden"], runs=lambda e: {k: v for k, v in e.items() if "/2/" not in k}))


def test_padding_bits_must_be_zero(data):
    masks = masks_of(data)
    layer = any_ticket()[0].layers[1]
    assert layer.mask_bits % 8
    last = bytes([masks[1][-1] | 1 << (layer.mask_bits % 8)])
    with pytest.raises(TicketError, match="padding"):
        decode(sealed(metadata(data), [masks[0], masks[1][:-1] + last]))


@pytest.mark.parametrize("density", [0.0, 0.02, 0.2, 0.4, 0.6, 0.9, 1.0])
def test_masks_are_coded_where_that_saves_an_eighth(density):
    ticket, _ = any_ticket((40, 30, 2), density=density)
    data = encode(ticket)
    kinds = [layer["mask"]["encoding"] for layer in metadata(data)["layers"]]
    assert kinds[0] == ("bits" if 0.3 < density < 0.7 else "rans")
    for kind, mask, layer in zip(kinds, masks_of(data), ticket.layers, strict=True):
        assert (kind == "rans") == (8 * len(mask) <= 7 * layer.mask_bytes)
    assert all((a == b).all() for a, b in zip(decode(data).masks, ticket.masks, strict=True))
    assert encode(decode(data)) == data


def deflated(data, level):
    """The same ticket with deflated masks, as early versions wrote sparse ones."""
    meta, masks = metadata(data), [zlib.compress(mask.tobytes(), level) for mask in decode(data).masks]
    for layer, mask in zip(meta["layers"], masks, strict=True):
        layer["mask"] = {"encoding": "deflate", "bytes": len(mask)}
    return sealed(meta, masks)


def test_a_deflated_mask_is_read_however_it_was_deflated_and_written_in_one_way():
    data = encode(any_ticket((40, 30, 2), density=0.02)[0])
    files = {deflated(data, level) for level in range(10)}
    assert len(files) > 2
    assert {encode(decode(file)) for file in files} == {data}


def test_a_deflated_mask_must_inflate_to_exactly_its_bits():
    ticket, _ = any_ticket((40, 30, 2), density=0.02)
    data = deflated(encode(ticket), 6)
    plain = [zlib.decompress(mask) for mask in masks_of(data)]
    meta = metadata(data)
    for bad in (zlib.compress(plain[0][:-1]), zlib.compress(plain[0] + b"\0"), zlib.compress(plain[0]) + b"\0", b"zz"):
        layers = json.loads(json.dumps(meta["layers"]))
        layers[0]["mask"]["bytes"] = len(bad)
        with pytest.raises(TicketError):
            decode(sealed({**meta, "layers": layers}, [bad, masks_of(data)[1]]))


def test_a_mask_bomb_is_refused_before_it_inflates():
    ticket, _ = any_ticket((3, 4, 2))
    wide = replace(ticket.layers[1], outputs=2**27)
    meta = metadata(encode(ticket))
    widths = [3, 4, 2**27]
    meta["network"]["arguments"]["widths"] = widths
    stored = zlib.compress(bytes(1000))
    meta["layers"][1]["mask"] = {"encoding": "deflate", "bytes": len(stored)}
    meta["tensors"][-1]["shape"] = [wide.neurons, widths[2], 1]
    with pytest.raises(TicketError, match="inflate"):
        decode(sealed(meta, [masks_of(encode(ticket))[0], stored]))


def test_the_same_ticket_has_the_same_bytes_in_every_process(data, tmp_path):
    path = any_ticket()[0].save(tmp_path / "a.slth")
    assert path.read_bytes() == data
    assert not [p for p in tmp_path.iterdir() if p != path]


def test_what_is_no_path_is_one_sentence():
    """Without the shape checking of these tests, as users call it."""
    code = """
import slth
for wrong in (b"x", 3, None, [1], open):
    for verb in (slth.load, slth.verify, slth.realised):
        try:
            verb(wrong)
        except slth.InputError as error:
            print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    sentences = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr
    assert len(sentences) == 15
    for sentence in sentences:
        assert re.match(
            "expected a ticket or the path of one, such as 'mnist.slth', got .*; give a text or a Path", sentence
        )


def test_a_missing_file_or_folder_is_one_sentence(tmp_path):
    with pytest.raises(InputError, match="cannot read"):
        load(tmp_path / "none.slth")
    with pytest.raises(InputError, match=r"folder .* does not exist"):
        any_ticket()[0].save(tmp_path / "none" / "t.slth")
    with pytest.raises(InputError, match="it is a folder"):
        any_ticket()[0].save(tmp_path)


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = any_ticket()[0].save(tmp_path / "t.slth")
    before = path.read_bytes()
    for name in ("fsync", "replace"):
        with monkeypatch.context() as patch:

            def fail(*_):
                raise OSError(28, "No space left on device")

            patch.setattr(f"os.{name}", fail)
            with pytest.raises(InputError, match="No space left"):
                any_ticket(seed=6)[0].save(path)
        assert path.read_bytes() == before
        assert list(tmp_path.iterdir()) == [path]


def test_an_interrupted_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = any_ticket()[0].save(tmp_path / "t.slth")
    before = path.read_bytes()

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        any_ticket(seed=6)[0].save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_ticket_prints_no_bound_below_the_one_it_holds():
    """Rounded up: what people read is a bound, too, not the nearest number."""
    ticket, _ = any_ticket()
    for i in range(50):
        bound = 0.1 + i / 7919
        claims = tuple(replace(claim, tolerance=bound, weight_error=bound) for claim in ticket.certificate.layers)
        one = replace(ticket, certificate=replace(ticket.certificate, layers=claims, sup_error=bound))
        rows = dict(one.summary())
        assert bound <= float(rows["certified |f - ticket|"].removesuffix(" on every output")) < bound * 1.001
        assert bound <= float(rows["largest weight error"]) < bound * 1.01
        assert bound <= float(rows["tolerance per weight"]) < bound * 1.01


def test_a_ticket_shows_itself():
    ticket, _ = any_ticket()
    assert re.match(r"Ticket\(relu_mlp 3-4-2, seed 5", repr(ticket))
    assert "<table>" in ticket._repr_html_()
    assert "bits per target" in repr(ticket)


def test_pack_is_little_endian():
    assert pack(np.array([[True, False, False, False, False, False, False, False, True]])).tolist() == [1, 1]
