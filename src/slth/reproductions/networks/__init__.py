"""What is published about constructed tickets of whole networks."""

__all__ = [
    "attention",
    "convolutions",
    "copies",
    "density",
    "depth",
    "equivariant",
    "moves",
    "replacement",
    "structure",
]  # modules, loaded when asked for
