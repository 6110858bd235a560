"""What is published about tickets that are found by training masks."""

__all__ = [
    "fastest",
    "flipped_masks",
    "perturbations",
    "rewinding",
    "widths",
    "xiong",
]  # modules, loaded when asked for
