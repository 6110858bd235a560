"""Files: what is no ONNX model, or lacks a part, is one sentence before anything is read."""

import re
import sys
from dataclasses import replace

import numpy as np
import onnx
import pytest
from helpers.onnx_models import model
from onnx import helper, numpy_helper

import slth
from slth import InputError
from slth.network import read_target

W = {"w": np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32), "b": np.ones(5, np.float32)}


def dense(opset=18):
    return model([("Gemm", "x w b", "y", {"transB": 1})], shape=(4,), constants=W, opset=opset)


def test_a_file_is_read_as_the_model_that_it_holds(tmp_path):
    onnx.save(dense(), tmp_path / "net.onnx")
    target = read_target(tmp_path / "net.onnx")
    assert (target.coefficients["layers/0"].weight[:, :, 0] == W["w"]).all()
    assert target.names == {"layers/0": ("w", "b")}


@pytest.mark.parametrize("content", [b"", b"hello\n", b"PK\x03\x04", b"\x08\x08", bytes(range(256)) * 9])
def test_what_is_no_model_is_one_sentence(tmp_path, content):
    (tmp_path / "net.onnx").write_bytes(content)
    with pytest.raises(
        InputError, match=r"net.onnx: not an ONNX model \(.*\); another kind of file, or a part"
    ) as error:
        read_target(tmp_path / "net.onnx")
    assert "\n" not in str(error.value)


def test_every_truncation_is_refused_in_one_sentence(tmp_path):
    whole = dense().SerializeToString()
    for length in range(0, len(whole), 7):
        (tmp_path / "net.onnx").write_bytes(whole[:length])
        with pytest.raises(InputError) as error:
            read_target(tmp_path / "net.onnx")
        assert "\n" not in str(error.value)


def test_a_damaged_file_is_read_or_refused_in_one_sentence(tmp_path):
    """One byte is another one: names that are no text, numbers that do not fit their shape."""
    whole, said = dense().SerializeToString(), set[str]()
    for i in range(0, len(whole), 3):
        (tmp_path / "net.onnx").write_bytes(whole[:i] + bytes([whole[i] ^ 0xA5]) + whole[i + 1 :])
        try:
            read_target(tmp_path / "net.onnx")
        except InputError as error:
            said.add(str(error))
    assert not any("\n" in text for text in said)
    assert any("it holds a name that is no text" in text for text in said)
    made = dense()
    made.graph.initializer[0].dims[0] = 7
    with pytest.raises(InputError, match=r"the numbers of w do not fit its shape and type .*; the file is damaged"):
        read_target(made)


def test_places_without_a_file(tmp_path):
    (tmp_path / "folder.onnx").mkdir()
    for name, what in [("none.onnx", "no such file"), ("folder.onnx", "it is a folder")]:
        with pytest.raises(InputError, match=f"{name}: {what}; expected an .onnx file"):
            read_target(tmp_path / name)


def test_data_beside_the_file_is_read_or_missed_by_name(tmp_path):
    path = tmp_path / "net.onnx"
    onnx.save(dense(), path, save_as_external_data=True, location="net.weights", size_threshold=0)
    assert (read_target(path).coefficients["layers/0"].weight[:, :, 0] == W["w"]).all()
    (tmp_path / "net.weights").write_bytes(b"\0\0")
    with pytest.raises(InputError, match=r"cannot read the weights of .*net.onnx in net.weights"):
        read_target(path)
    (tmp_path / "net.weights").unlink()
    with pytest.raises(
        InputError, match=r"keeps its weights in net.weights, which is not beside it; put that file into"
    ):
        read_target(path)


def test_numbers_of_nodes_may_lie_beside_the_file_too(tmp_path, monkeypatch):
    """Wherever the process runs: not in its own folder."""
    nodes = [("Constant", "", "w", {"value": numpy_helper.from_array(W["w"])}), ("Gemm", "x w", "y", {"transB": 1})]
    path = tmp_path / "net.onnx"
    onnx.save(
        model(nodes, shape=(4,)),
        path,
        save_as_external_data=True,
        location="net.weights",
        size_threshold=0,
        convert_attribute=True,
    )
    assert (read_target(path).coefficients["layers/0"].weight[:, :, 0] == W["w"]).all()
    (tmp_path / "net.weights").unlink()
    with pytest.raises(InputError, match=r"keeps its weights in net.weights, which is not beside it"):
        read_target(path)


def test_a_model_that_was_loaded_without_its_weights_is_refused(tmp_path):
    path = tmp_path / "net.onnx"
    onnx.save(dense(), path, save_as_external_data=True, location="net.weights", size_threshold=0)
    with pytest.raises(InputError, match=r"the model was loaded without its weights, which are in net.weights; give"):
        read_target(onnx.load(path, load_external_data=False))
    nameless = onnx.load(path, load_external_data=False)
    for tensor in nameless.graph.initializer:
        tensor.ClearField("external_data")
    path.write_bytes(nameless.SerializeToString())
    with pytest.raises(InputError, match="keeps its weights in a file without a name, which is not beside it"):
        read_target(path)


def test_without_onnxruntime_nothing_is_read_unchecked(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(
        InputError, match=r"^running an ONNX model needs onnxruntime: pip install -c constraints.txt -e '\.\[onnx\]' in"
    ):
        read_target(dense())


@pytest.mark.parametrize("location", ["../secret", "/etc/hostname"])
def test_data_outside_the_folder_is_not_read(tmp_path, location):
    folder = tmp_path / "inside"
    folder.mkdir()
    (tmp_path / "secret").write_bytes(np.zeros(20, np.float32).tobytes())
    made = dense()
    tensor = made.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.append(onnx.StringStringEntryProto(key="location", value=location))
    (folder / "net.onnx").write_bytes(made.SerializeToString())
    with pytest.raises(InputError):
        read_target(folder / "net.onnx")


def test_opsets_from_9_to_the_newest_are_read(tmp_path):
    newest = onnx.defs.onnx_opset_version()
    for opset in range(9, newest + 1):
        assert read_target(dense(opset)).names == {"layers/0": ("w", "b")}
    for opset, sentence in [
        (8, "has opset 8; opsets 9 to"),
        (newest + 1, rf"has opset {newest + 1}, and the installed"),
    ]:
        path = tmp_path / f"{opset}.onnx"
        path.write_bytes(dense(opset if opset < 9 else 18).SerializeToString())
        if opset > 9:
            made = dense()
            made.opset_import[0].version = opset
            path.write_bytes(made.SerializeToString())
        with pytest.raises(InputError, match=sentence):
            read_target(path)


def test_a_model_without_the_standard_domain_is_refused():
    made = dense()
    made.opset_import[0].domain = "com.example"
    with pytest.raises(
        InputError, match=r"imports no version of the standard ONNX operators \(its domains: com.example\)"
    ):
        read_target(made)


def test_what_is_broken_is_said():
    made = dense()
    made.graph.node[0].input[1] = "nothing"
    with pytest.raises(InputError, match="the graph reads nothing, which nothing gives"):
        read_target(made)
    made = dense()
    made.graph.node[0].attribute.append(helper.make_attribute("axis", 1))
    with pytest.raises(InputError, match=r"n0 \(node 0 of 1\): Gemm is no valid node of opset 18: .*; export it again"):
        read_target(made)


def test_a_graph_goes_with_no_model(tmp_path):
    onnx.save(dense(), tmp_path / "net.onnx")
    with pytest.raises(InputError, match=r"net.onnx is a network by itself: give it without a model"):
        slth.construct(tmp_path / "net.onnx", model="net.py:make")


def test_data_beside_the_file_that_a_node_holds_are_not_sought_elsewhere(tmp_path, monkeypatch):
    """Not where the program runs, but beside the file; of a model in memory nowhere."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "w.bin").write_bytes(W["w"].tobytes())
    monkeypatch.chdir(elsewhere)
    tensor = onnx.numpy_helper.from_array(W["w"], "value")
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.append(onnx.StringStringEntryProto(key="location", value="w.bin"))
    nodes = [("Constant", "", "k", {"value": tensor}), ("Gemm", "x k", "y", {"transB": 1})]
    made = model(nodes, shape=(4,))
    (tmp_path / "net.onnx").write_bytes(made.SerializeToString())
    with pytest.raises(InputError, match=r"keeps its weights in w.bin, which is not beside it"):
        read_target(tmp_path / "net.onnx")
    with pytest.raises(InputError, match=r"the model was loaded without its weights, which are in w.bin"):
        read_target(made)
    (tmp_path / "w.bin").write_bytes(W["w"].tobytes())
    assert len(read_target(tmp_path / "net.onnx").graph.nodes) == 1


def test_names_that_are_no_text_are_refused(tmp_path):
    made = model([("Gemm", "x w b", "h", {"transB": 1}), ("Relu", "h", "y", {})], shape=(4,), constants=W)
    whole = made.SerializeToString()
    for old in (b"Relu", b"Gemm", b"n1"):
        (tmp_path / "net.onnx").write_bytes(whole.replace(old, b"\xff" * len(old)))
        with pytest.raises(InputError, match="it holds a name that is no text"):
            read_target(tmp_path / "net.onnx")


def test_the_cut_is_part_of_the_ticket_and_verify_makes_it_again(tmp_path):
    nodes = [
        ("Sin", "x", "a", {}),
        ("Gemm", "a w b", "h", {"transB": 1}),
        ("Relu", "h", "y", {}),
        ("Tanh", "h", "z", {}),
    ]
    onnx.save(model(nodes, shape=(4,), constants=W, output="y z"), tmp_path / "net.onnx")
    cut = {"from_node": "a", "to_node": "n2"}
    ticket = slth.construct(tmp_path / "net.onnx", **cut, input_range=(-1, 1), tolerance=0.01)
    slth.save(ticket, tmp_path / "net.slth")
    again = slth.load(tmp_path / "net.slth")
    assert again.provenance.cut == cut
    found = slth.verify(again, target=tmp_path / "net.onnx")
    assert found.holds
    assert found.complete
    assert "part of a graph from a, to n2" in " ".join(str(slth.show(again)).split())
    slth.report(tmp_path / "net.slth", tmp_path / "page.html", target=tmp_path / "net.onnx")
    page = re.sub("<[^>]+>", "", (tmp_path / "page.html").read_text())
    assert "slth construct net.onnx --out net.slth --input-shape=4 --from a --to n2 --tolerance=0.01" in page
    assert ".[onnx]" in page
    assert slth.verify(again, target=tmp_path / "net.onnx", from_node="a").holds  # the other end is the ticket's
    other = slth.verify(again, target=tmp_path / "net.onnx", to_node="z")
    assert not other.holds
    strange = replace(again.provenance, asked={**again.provenance.asked, "to_node": [1], "from_node": 5})
    assert not slth.verify(replace(again, provenance=strange), target=dense()).holds
