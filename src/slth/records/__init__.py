"""Measurements as frozen rows in JSON lines files."""

from slth.records.record import Environment, Record, append, cores, environment, read

__all__ = ["Environment", "Record", "append", "cores", "environment", "read"]
