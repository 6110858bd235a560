"""Networks that take tokens, from a target to a ticket, and every way out of it."""

import numpy as np
import onnxruntime
import pytest
import torch
from helpers.graph_tickets import transformer_target

import slth
from slth import InputError
from slth.ticket import decode, encode

TABLES = ("carried", "tied", "one-hot")
TOKENS = np.random.default_rng(0).integers(0, 7, (6, 5))


class Made(dict):
    """By table, a target and its ticket."""

    def __missing__(self, table):
        target = transformer_target(5, table)
        self[table] = target, slth.construct(target, tolerance=0.01)
        return self[table]


@pytest.fixture(scope="module")
def made():
    return Made()


@pytest.mark.parametrize("table", [TABLES[0], *(pytest.param(table, marks=pytest.mark.slow) for table in TABLES[1:])])
def test_a_ticket_of_tokens_is_made_kept_and_verified(made, table):
    """It says tokens, and as many as its tables have; claims hold for all of them; another token is refused."""
    target, ticket = made[table]
    assert ticket.inputs.tokens == (9 if table == "carried" else 7)
    assert encode(decode(encode(ticket))) == encode(ticket)
    found = slth.verify(decode(encode(ticket)), target=target)
    assert found.holds
    assert found.complete
    assert f"5 tokens, each from 0 to {ticket.inputs.tokens - 1}" in str(slth.show(ticket))
    y = np.random.default_rng(1).integers(0, 7, TOKENS.shape)
    for x in (TOKENS, TOKENS.astype(np.uint8), TOKENS.astype(np.float32)):
        found = slth.evaluate(ticket, (x, y), target=target)
        assert 0 < found.measured_error < 0.2
        assert found.measured_error < found.certified_error
        assert found.unchanged_per_input.hits >= 28
        assert found.unchanged_per_input.count == TOKENS.size
    for bad in (TOKENS - 1, TOKENS + 5, TOKENS + 0.5):
        with pytest.raises(InputError, match="the network takes tokens, integers from 0 to"):
            slth.evaluate(ticket, (bad, y), target=target)


@pytest.mark.parametrize("kind", [np.int64, np.uint8], ids=lambda kind: kind.__name__)
def test_tokens_come_in_files(made, tmp_path, kind):
    """Whole numbers of any type are tokens, not grey values."""
    np.savez(tmp_path / "text.npz", x=TOKENS.astype(kind), y=np.zeros(TOKENS.shape, np.int64))
    found = slth.evaluate(made["tied"][1], tmp_path / "text.npz", target=made["tied"][0])
    assert found.inputs == len(TOKENS)
    assert found.unchanged_per_input.hits >= 28


def test_the_share_that_is_carried_is_said(made):
    shown = str(slth.show(made["carried"][1]))
    assert "376 numbers in 11 arrays, 31.7 % of all numbers, among them the table array.0 (9 x 8)" in shown
    assert "1 Embedding" in shown
    assert "tied Embedding" in str(slth.show(made["tied"][1]))
    assert "one-hot 7 -> 8" in str(slth.show(made["one-hot"][1]))


@pytest.mark.parametrize("table", TABLES)
def test_the_random_network_computes_what_is_realised(made, table):
    """Rows of a tied table are those of P, whatever view; tokens are refused in one sentence."""
    _, ticket = made[table]
    source, realised = slth.source(ticket), slth.realised(ticket)
    x = torch.from_numpy(TOKENS)
    torch.testing.assert_close(source(x), realised(x), rtol=0, atol=1e-4)
    for network in (source, realised):
        with pytest.raises(InputError, match=r"expected tokens, integers from 0 to \d; got 9"):
            network(x + 9 - x)


KINDS = [(5, "carried"), *(pytest.param(*kind, marks=pytest.mark.slow) for kind in ((3, "tied"), (11, "one-hot")))]


@pytest.mark.parametrize(("seed", "table"), KINDS)
def test_an_onnx_file_takes_tokens(seed, table, tmp_path):
    """int64, in batches of any size, with attention of several kinds; what it gives is what PyTorch gives."""
    ticket = slth.construct(transformer_target(seed, table), tolerance=0.1)
    place = tmp_path / "net.onnx"
    written = slth.export(ticket, place)
    assert written.difference <= written.allowed
    session = onnxruntime.InferenceSession(place.read_bytes(), providers=["CPUExecutionProvider"])
    (enters,) = session.get_inputs()
    assert (enters.name, enters.type, enters.shape) == ("input", "tensor(int64)", ["batch", 5])
    (y,) = session.run(["output"], {"input": TOKENS})
    np.testing.assert_allclose(y, slth.realised(ticket)(torch.from_numpy(TOKENS)).numpy(), atol=1e-4)


def test_no_verifier_is_asked_about_tokens(made, tmp_path):
    target, ticket = made["tied"]
    with pytest.raises(InputError, match="takes tokens, which are whole numbers; VNN-LIB asks about ranges"):
        slth.export(ticket, tmp_path / "net.onnx", difference=True, target=target)
    assert not list(tmp_path.iterdir())


def test_of_tokens_no_range_is_given():
    target = transformer_target(5, "tied")
    with pytest.raises(InputError, match="reads tokens, integers from 0 to 6, not numbers; leave out input_range"):
        slth.construct(target, input_range=(0, 1))


def test_an_error_of_the_whole_is_refused_behind_a_norm_without_a_floor():
    target = transformer_target(5, "tied", epsilon=0.0)
    with pytest.raises(InputError, match="claims stop at n3, a normalisation whose epsilon is 0, and no floor"):
        slth.construct(target, epsilon=0.5)
    ticket = slth.construct(target, tolerance=0.1)
    assert ticket.claims.stops == ("n3",)
    assert "claims stop at n3" in str(slth.show(ticket))
    assert slth.verify(ticket, target=target).holds


def test_a_page_shows_a_network_of_tokens(made, tmp_path):
    place = slth.save(made["carried"][1], tmp_path / "net.slth")
    slth.report([place], out=tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text()
    assert "5 tokens, each from 0 to 8" in text
    assert "Attention" in text


class Places(torch.nn.Module):
    """Rows of tokens and of positions, of which there are some."""

    def __init__(self, positions):
        super().__init__()
        self.words, self.places = torch.nn.Embedding(7, 4), torch.nn.Embedding(positions, 4)
        self.head = torch.nn.Linear(4, 2)

    def forward(self, tokens):
        return self.head(self.words(tokens) + self.places(torch.arange(tokens.shape[1])))


def test_a_target_of_other_inputs_is_refused_by_what_ticket_and_target_take():
    """Whoever verifies has given no example."""
    torch.manual_seed(0)
    of_tokens = slth.construct(Places(5).eval(), example=TOKENS, tolerance=0.01, threads=1)
    of_numbers = slth.construct(torch.nn.Linear(4, 2), tolerance=0.01, threads=1)
    refused = [
        (of_tokens, Places(3), r"inputs of 5 tokens, and the target does not: .*end of a table .*places of 3 rows\)"),
        (of_tokens, torch.nn.Linear(5, 2), "inputs of 5 tokens, and the target does not: it cannot run on whole"),
        (of_numbers, Places(4), "inputs of 4 numbers, and the target does not: it takes indices of an embedding"),
        (of_numbers, torch.nn.Linear(5, 2), "inputs of 4 numbers, and the target does not: it cannot run on them"),
    ]
    for ticket, target, match in refused:
        with pytest.raises(InputError, match=match + ".*; give the network that the ticket was made for$") as error:
            slth.verify(ticket, target=target.eval())
        assert "example" not in str(error.value)
