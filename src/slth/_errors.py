"""The one exception type for bad input: its message is a sentence that a user can act on."""


class InputError(ValueError):
    """What was expected, what arrived, what to try. The command line prints it alone and exits with 2."""
