"""`python -m slth` is `slth`."""

from slth.cli import main

main()
