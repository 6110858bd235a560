"""What is published about subset sums of numbers: existence, sizes, moves, integers."""
