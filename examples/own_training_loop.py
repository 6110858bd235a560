"""A loop of your own: attach masks to any module, train scores with any optimiser, save a ticket."""

import torch
from sklearn.datasets import load_digits
from torch import nn

import slth
from slth.learning import EdgePopup

digits = load_digits()
x = torch.tensor(digits.data, dtype=torch.float32) / 16
y = torch.tensor(digits.target)
train, test = slice(0, 1400), slice(1400, None)

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 10))
masks = slth.attach(model, EdgePopup(density=0.3), seed=0)
print(masks)

frozen = model[0].parametrizations.weight.original
before = frozen.clone()
optimizer = torch.optim.Adam(masks.parameters, lr=0.05)
for epoch in range(8):
    order = torch.randperm(1400)
    for batch in order.split(100):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x[train][batch]), y[train][batch]).backward()
        optimizer.step()
    with torch.no_grad():
        print(f"epoch {epoch}: {(model(x[test]).argmax(1) == y[test]).float().mean():.1%} of the test digits")

print(f"the weights moved by {(frozen - before).abs().max():g}; only which of them are kept was learned")
slth.save(masks.ticket(), "own.slth")
print(f"own.slth holds: {slth.verify('own.slth').holds}")
