"""Strong lottery tickets: networks stored as a seed and a bit mask."""

__version__ = "0.1.0"
