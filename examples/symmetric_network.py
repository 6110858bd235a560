"""A network that turns with its input, and a ticket that turns with it to the last bit.

A layer that commutes with a group has few coefficients and a large map. Tickets prune coefficients, so the symmetry of
the target is the symmetry of every ticket, whatever it keeps (Ferbach et al., 2023).
"""

import torch
from torch import nn

import slth
from slth.layers import GroupConv2d, equivariance

torch.manual_seed(0)
model = nn.Sequential(
    GroupConv2d(1, 4, 3, group="D4", lifting=True, padding=1),  # an image becomes one for each of 8 turns and mirrors
    nn.ReLU(),
    GroupConv2d(4, 4, 3, group="D4", padding=1),
    nn.ReLU(),
    nn.MaxPool3d((8, 8, 8)),  # over turns and places: what is left does not change when the image is turned
    nn.Flatten(),
    nn.Linear(4, 3),
).eval()
ticket = slth.construct(model, input_shape=(1, 8, 8), input_range=(0, 1), relative_tolerance=0.01)
pruned = slth.realised(ticket)

image = torch.rand(1, 1, 8, 8)
with torch.no_grad():
    print("output of the target:", " ".join(f"{value:+.5f}" for value in model(image)[0]))
    for name, moved in {
        "as it is": image,
        "turned by 90 degrees": image.rot90(1, (2, 3)),
        "mirrored": image.flip(3),
        "mirrored and turned": image.flip(3).rot90(1, (2, 3)),
    }.items():
        print(f"  the ticket, {name + ':':<22}", " ".join(f"{value:+.5f}" for value in pruned(moved)[0]))

found = equivariance(pruned, torch.rand(4, 1, 8, 8), group="D4")
print(f"\nover all {len(found.errors)} elements of D4: exact to the last bit: {found.exact}")
plain = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(8), nn.Flatten(), nn.Linear(4, 3)).eval()
error = equivariance(plain, torch.rand(4, 1, 8, 8), group="D4")
print(f"an ordinary convolution instead: exact {error.exact}, off by {max(error.errors):.3f}")
