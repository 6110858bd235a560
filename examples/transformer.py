"""A transformer as a ticket: attention and LayerNorm stay, every matrix becomes a pruned random one.

Bounds go through softmax attention for any length of the sequence; a normalisation lets them pass as far as it can be
bounded, and where it cannot, the ticket says so instead of claiming something.
"""

import torch
from torch import nn

import slth


class Block(nn.Module):
    """One layer of causal self-attention and one of two dense maps, with residual sums."""

    def __init__(self, width: int = 16, heads: int = 2):
        super().__init__()
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.norm = nn.LayerNorm(width)
        self.wide, self.narrow = nn.Linear(width, 32), nn.Linear(32, width)

    def forward(self, x):
        mask = torch.full((x.shape[1], x.shape[1]), float("-inf")).triu(1)
        x = x + self.attention(x, x, x, attn_mask=mask, need_weights=False)[0]
        return x + self.narrow(torch.relu(self.wide(self.norm(x))))


class Reader(nn.Module):
    """Tokens in, one score for each of eleven tokens out."""

    def __init__(self):
        super().__init__()
        self.embed, self.block, self.head = nn.Embedding(11, 16), Block(), nn.Linear(16, 11)

    def forward(self, tokens):
        return self.head(self.block(self.embed(tokens)))


torch.manual_seed(0)
model = Reader().eval()
tokens = torch.randint(11, (4, 6))
ticket = slth.construct(model, example=tokens, tolerance=1e-4)

print(slth.show(ticket))
again = slth.realised(ticket)(tokens)
print(f"\nlargest difference of a score: {(again - model(tokens)).abs().max():.1e}")
print(f"same next token everywhere: {bool((again.argmax(-1) == model(tokens).argmax(-1)).all())}")
print(f"every check holds: {slth.verify(ticket, target=model).holds}")
