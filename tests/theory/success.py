"""What successes among draws prove: a chance that is at least this, with confidence 1 - 1e-6."""

from scipy.stats import beta

from slth.theory import bound


def at_least(successes: int, draws: int) -> float:
    """Clopper and Pearson's lower end."""
    return 0.0 if successes == 0 else float(beta.ppf(1e-6, successes, draws - successes + 1))


def needed(name, successes, draws, **values):
    """What a necessary bound asks for, at the chance of success that was seen at least."""
    return bound(name, delta=1 - at_least(successes, draws), **values).value
