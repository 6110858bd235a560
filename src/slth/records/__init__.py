"""Measurements as frozen rows in JSON lines files; `verbs`: what can be asked of each verb."""

from slth.records import verbs
from slth.records.record import Environment, Record, append, cores, environment, read

__all__ = ["Environment", "Record", "append", "cores", "environment", "read", "verbs"]
