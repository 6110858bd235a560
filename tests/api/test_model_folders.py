"""Folders of the transformers library: in, through a ticket, and out again for `from_pretrained`."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from references.transformers_zoo import OF_LIBRARY
from safetensors.torch import load_file, save_file

import slth
from slth import InputError
from slth.api._model_folder import replace_model
from slth.network import read_target

LENGTH = (7,)


def saved(folder, name="distilbert", dtype=torch.float32, **options):
    torch.manual_seed(0)
    model, x = OF_LIBRARY[name]()
    model.eval().to(dtype).save_pretrained(folder, **options)
    return model, x


@pytest.mark.slow
def test_an_exact_ticket_gives_a_folder_back_bit_for_bit(tmp_path):
    """Its transposed layers and its tied head, in half precision; and the library reads it."""
    from transformers import AutoModelForCausalLM

    _, tokens = saved(tmp_path / "in", "gpt2", torch.bfloat16)
    ticket = slth.construct(tmp_path / "in", input_shape=LENGTH, exact=True, carry_rest=True, threads=1)
    assert ticket.inputs.tokens == 50
    assert slth.verify(ticket, target=tmp_path / "in").complete
    slth.export(ticket, tmp_path / "out", target=tmp_path / "in")
    before, after = (load_file(tmp_path / place / "model.safetensors") for place in ("in", "out"))
    assert before.keys() == after.keys()
    assert all(torch.equal(after[name], before[name]) and after[name].dtype == torch.bfloat16 for name in before)
    models = [AutoModelForCausalLM.from_pretrained(tmp_path / place).eval() for place in ("in", "out")]
    with torch.no_grad():
        assert torch.equal(*(model(tokens).logits for model in models))


def test_a_ticket_of_plain_numbers_becomes_the_weights_of_the_model(tmp_path):
    """A gadget whose maps are the same for inputs of both signs: the folder computes what the ticket does."""
    from transformers import AutoModel

    model, tokens = saved(tmp_path / "in")
    ticket = slth.construct(tmp_path / "in", input_shape=LENGTH, tolerance=0.01, gadget="plain", threads=1)
    slth.export(ticket, tmp_path / "out", target=tmp_path / "in")
    with torch.no_grad():
        y = AutoModel.from_pretrained(tmp_path / "out").eval()(tokens).last_hidden_state
        assert abs(y - slth.realised(ticket)(tokens)).max() < 1e-4 * abs(y).max()
        assert abs(y - model(tokens).last_hidden_state).max() > 1e-4 * abs(y).max()
    kept = load_file(tmp_path / "out" / "model.safetensors")["embeddings.word_embeddings.weight"]
    assert torch.equal(kept, model.embeddings.word_embeddings.weight)


@pytest.mark.slow
def test_a_table_that_is_a_map_goes_back_into_the_folder(tmp_path):
    """Of BERT, whose tables of positions and of sentences stay the target's."""
    from transformers import AutoModel

    model, tokens = saved(tmp_path / "in", "bert")
    given = {"input_shape": LENGTH, "tolerance": 0.01, "embeddings": "ticketed", "threads": 1}
    ticket = slth.construct(tmp_path / "in", **given)
    slth.export(ticket, tmp_path / "out", target=tmp_path / "in")
    state = load_file(tmp_path / "out" / "model.safetensors")
    own = model.embeddings
    moved = abs(state["embeddings.word_embeddings.weight"] - own.word_embeddings.weight).max()
    assert 0 < moved <= 0.01 + 1e-7
    assert torch.equal(state["embeddings.token_type_embeddings.weight"], own.token_type_embeddings.weight)
    with torch.no_grad():
        y = AutoModel.from_pretrained(tmp_path / "out").eval()(tokens).last_hidden_state
        assert abs(y - slth.realised(ticket)(tokens)).max() < 1e-4 * abs(y).max()


@pytest.mark.slow
def test_maps_that_treat_signs_apart_are_no_weights_of_the_model(tmp_path):
    saved(tmp_path / "in")
    ticket = slth.construct(tmp_path / "in", input_shape=LENGTH, tolerance=0.001, threads=1)
    if all(ticket.realised(path).negative is None for path in ticket.maps):
        pytest.skip("the default gadget is linear")
    with pytest.raises(InputError, match="treats x⁺ and x⁻ by different weights; construct it with linear lifts"):
        slth.export(ticket, tmp_path / "out", target=tmp_path / "in")
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_parts_with_an_index_and_files_of_pytorch_are_read(tmp_path):
    model, _ = saved(tmp_path / "whole")
    model.save_pretrained(tmp_path / "parts", max_shard_size="8KB")
    assert (tmp_path / "parts" / "model.safetensors.index.json").is_file()
    shutil.copytree(tmp_path / "whole", tmp_path / "old")
    (tmp_path / "old" / "model.safetensors").unlink()
    torch.save(model.state_dict(), tmp_path / "old" / "pytorch_model.bin")
    first, *others = (read_target(tmp_path / place, input_shape=LENGTH) for place in ("whole", "parts", "old"))
    for other in others:
        assert other.graph == first.graph
        assert all((other.coefficients[p].weight == first.coefficients[p].weight).all() for p in first.graph.maps)


@pytest.mark.parametrize("dtype", [pytest.param(torch.float16, marks=pytest.mark.slow), torch.bfloat16])
def test_half_precision_is_read_exactly(tmp_path, dtype):
    model, _ = saved(tmp_path, dtype=dtype)
    target = read_target(tmp_path, input_shape=LENGTH)
    weight, _ = target.names["transformer.layer.0.ffn.lin1"]
    own = dict(model.named_parameters())[weight].double().detach().numpy()
    assert np.array_equal(target.coefficients["transformer.layer.0.ffn.lin1"].weight[:, :, 0], own)


def test_a_table_of_tokens_is_made_a_map_of_plain_random_numbers_on_request():
    """There is no lift, whose neurons would be scanned for every token; gadgets that have no such kin are refused."""
    torch.manual_seed(0)
    model, tokens = torch.nn.Sequential(torch.nn.Embedding(9, 4), torch.nn.Linear(4, 2)).eval(), torch.arange(9)
    ticket = slth.construct(model, example=tokens, embeddings="ticketed", tolerance=0.01, threads=1)
    assert [type(gadget).__name__ for gadget in ticket.gadgets.values()] == ["Plain", "TwoLayer"]
    assert "tables of tokens by plain random numbers" in ticket.provenance.method
    assert not ticket.carried
    found = slth.verify(ticket, target=model)
    assert found.holds
    assert found.complete
    rows = ticket.realised("0").positive[:, :, 0].T
    assert abs(rows - model[0].weight.detach().double().numpy()).max() <= 0.01
    with pytest.raises(InputError, match="0: a table of tokens is made of plain random numbers, beside the gadgets"):
        slth.construct(model, example=tokens, embeddings="ticketed", gadget="counts")
    with pytest.raises(InputError, match=r"unknown embeddings 'both'|embeddings"):
        slth.construct(model, example=tokens, embeddings="both")


def test_a_folder_says_what_its_layers_are(tmp_path):
    """Its configuration names the class: no function that gives the module is needed."""
    saved(tmp_path)
    ticket = slth.construct(tmp_path, layers_only=True, tolerance=0.01, threads=1)
    assert "transformer.layer.0.ffn.lin1" in ticket.maps
    assert slth.verify(ticket, target=tmp_path).complete


def without_weights(folder):
    (folder / "model.safetensors").unlink()


def with_a_missing_part(folder):
    without_weights(folder)
    index = {"weight_map": {"a": "model-00001-of-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def without_a_tensor(folder):
    state = load_file(folder / "model.safetensors")
    del state["transformer.layer.0.ffn.lin1.weight"]
    save_file(state, folder / "model.safetensors", {"format": "pt"})


def without_a_bias(folder):
    """Its name ends like a buffer that is not missed, attn.bias."""
    saved(folder, "gpt2")
    state = load_file(folder / "model.safetensors")
    del state["transformer.h.0.attn.c_attn.bias"]
    save_file(state, folder / "model.safetensors", {"format": "pt"})


def with_another_tensor(folder):
    state = load_file(folder / "model.safetensors")
    save_file({**state, "more.weight": torch.ones(2)}, folder / "model.safetensors", {"format": "pt"})


def configured(**changes):
    def change(folder):
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**config, **changes}))

    return change


def said(text):
    return lambda folder: (folder / "config.json").write_text(text)


BROKEN = {
    "cut": (said('{"architectures": ["Bert'), r"its config\.json is no whole JSON .*Unterminated string.*get a fresh"),
    "deep": (said("[" * 100_000), r"its config\.json is no whole JSON .*recursion"),
    "a list": (said("[1]"), r'its config\.json holds a list, no object; expected the name .*"architectures": \["Bert'),
    "a number": (said("3"), r"its config\.json holds 3, no object"),
    "nameless": (said('{"dim": 3, "a": 1}'), r"names no architectures; it has a, dim; expected.* weights by itself"),
    "one name": (configured(architectures="BertModel"), r'names "BertModel" as architectures; it has activation'),
    "numbers": (configured(architectures=[3, "a b"]), r'names \[3, "a b"\] as architectures'),
    "no weights": (without_weights, r"a model folder without weights; expected model\.safetensors or pytorch_model"),
    "no part": (with_a_missing_part, r"its index names model-00001-of-00002\.safetensors: no such file"),
    "no tensor": (without_a_tensor, r"its weights lack transformer\.layer\.0\.ffn\.lin1\.weight"),
    "no bias": (without_a_bias, r"its weights lack transformer\.h\.0\.attn\.c_attn\.bias"),
    "another tensor": (with_another_tensor, r"DistilBertModel has no place for more\.weight"),
    "its own code": (configured(auto_map={"AutoModel": "m.M"}), "brings code of its own, which is not run"),
    "unknown": (configured(architectures=["NoSuchModel"]), "is a NoSuchModel, which transformers .* does not have"),
    "no model": (configured(architectures=["DistilBertConfig"]), "is a DistilBertConfig, .* not have as a model"),
    "other sizes": (
        configured(vocab_size=51),
        r"does not fit its config\.json: embeddings\..* shape \(50, 16\), .* \(51, ",
    ),
    "longer": (configured(), "the model has 16 positions, and the example has 17; give a shorter one"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_folder_is_refused_in_one_sentence(tmp_path, name):
    change, match = BROKEN[name]
    saved(tmp_path)
    change(tmp_path)
    with pytest.raises(InputError, match=match) as error:
        read_target(tmp_path, input_shape=(17,) if name == "longer" else LENGTH)
    assert "\n" not in str(error.value)


SHARDS = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")
STALE = (*SHARDS, "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model-00001-of-00001.bin")
KEPT = ("model.fp16.safetensors", "model-1-of-2.safetensors", "optimizer.bin", "notes.txt")


class Killed(BaseException):
    """As by kill -9: from here on nothing more happens on the disk."""


def test_a_model_takes_the_place_of_another_whole_or_not_at_all(tmp_path, monkeypatch):
    """Killed before any of its steps: what a reader takes for a model has configuration and weights of one of them."""
    left = []
    for step in range(12):
        folder = tmp_path / str(step)
        folder.mkdir()
        for name in ("config.json", "model.safetensors", *STALE, *KEPT):
            (folder / name).write_bytes(b"old")
        left.append(steps_until(step, folder, monkeypatch))
        names = {path.name for path in folder.iterdir()}
        assert names >= {*KEPT, "model.safetensors"}
        shards = [name in names for name in (STALE[2], *SHARDS)]
        assert shards == sorted(shards)  # the index goes first
        if "config.json" not in names:
            continue
        new = (folder / "config.json").read_bytes() == b"new"
        assert (folder / "model.safetensors").read_bytes() == (b"new" if new else b"old")
        assert names >= {*STALE} if not new else not names & {*STALE}
    assert left[0]
    assert not left[-1]


def steps_until(step, folder, monkeypatch):
    """Whether there were more of them."""
    count, replace, unlink = 0, os.replace, Path.unlink

    def counted(act):
        def acts(*given, **named):
            nonlocal count
            count += 1
            if count > step:
                raise Killed
            return act(*given, **named)

        return acts

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", counted(replace))
        patched.setattr(Path, "unlink", counted(unlink))
        try:
            replace_model(folder, b"new", b"new")
        except Killed:
            return True
    return False


def test_an_export_leaves_no_weights_of_the_model_that_was_there(tmp_path, caplog):
    """Only what `save_pretrained` calls so; the command line asks for --force first, see `test_places`."""
    saved(tmp_path / "in")
    saved(tmp_path / "out", "bert", max_shard_size="8KB")
    (tmp_path / "out" / "notes.txt").write_text("mine")
    assert len(list((tmp_path / "out").glob("model-*.safetensors"))) > 1
    ticket = slth.construct(tmp_path / "in", input_shape=LENGTH, tolerance=0.01, threads=1)
    with caplog.at_level("INFO", logger="slth.api"):
        slth.export(ticket, tmp_path / "out", target=tmp_path / "in")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"config.json", "model.safetensors", "notes.txt"}
    assert "removed weights of the model that was in" in caplog.text
    assert (
        read_target(tmp_path / "out", input_shape=LENGTH).graph
        == read_target(tmp_path / "in", input_shape=LENGTH).graph
    )
