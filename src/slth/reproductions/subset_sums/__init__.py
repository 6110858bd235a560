"""What is published about subset sums of numbers: existence, sizes, moves, integers."""

__all__ = [
    "drift",
    "error",
    "failure",
    "fixed_size",
    "integers",
    "mixtures",
    "moved",
    "null_function",
    "one_number",
    "products",
    "tables",
]  # modules, loaded when asked for
