"""Notes of the verbs on stderr, while a command runs."""

import logging
from collections.abc import Generator
from contextlib import contextmanager

from slth.cli._print import note


class _Lines(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        note(record.getMessage())  # to stderr as it is now: while a bar is shown, above it


@contextmanager
def notes(*, quiet: bool, verbose: bool) -> Generator[None]:
    """Warnings, and what a verb has assumed; `verbose`: all notes; `quiet`: errors only."""
    handler = _Lines()

    def shown(record: logging.LogRecord) -> bool:
        least = logging.ERROR if quiet else logging.INFO if verbose or record.name == "slth.api" else logging.WARNING
        return record.levelno >= least

    handler.addFilter(shown)
    logger = logging.getLogger("slth")
    before = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
