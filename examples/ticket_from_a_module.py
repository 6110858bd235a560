"""A trained module becomes a ticket: a seed, a mask, and a proof of how far the two can differ on any input."""

from pathlib import Path

import torch
from sklearn.datasets import load_digits
from torch import nn

import slth

digits = load_digits()
x = torch.tensor(digits.images, dtype=torch.float32)[:, None] / 16
y = torch.tensor(digits.target)

torch.manual_seed(0)
model = nn.Sequential(
    nn.Conv2d(1, 8, 3, padding=1),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Flatten(),
    nn.Linear(128, 32),
    nn.ReLU(),
    nn.Linear(32, 10),
)
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
for _ in range(60):
    optimizer.zero_grad()
    nn.functional.cross_entropy(model(x), y).backward()
    optimizer.step()
model.eval()

ticket = slth.construct(model, input_shape=(1, 8, 8), input_range=(0, 1), tolerance=1e-3)
path = slth.save(ticket, "digits_cnn.slth")
print(f"{path}: {Path(path).stat().st_size:,} bytes for {sum(p.numel() for p in model.parameters()):,} parameters")
print(f"density {ticket.density:.1%}: the rest of the random network was pruned")

pruned = slth.realised(slth.load(path))  # the random weights are regenerated from the seed
with torch.no_grad():
    measured = (pruned(x) - model(x)).abs().max().item()
    agree = (pruned(x).argmax(1) == model(x).argmax(1)).float().mean().item()
print(f"largest difference of an output: measured {measured:.4f}, proved {ticket.claims.sup_error:.4f} for every input")
print(f"same answer on {agree:.2%} of the digits; every claim holds: {slth.verify(path, target=model).holds}")
