r"""Maps of arrays over n members that commute with every permutation: one for each partition of the positions.

An array of order k has entries x[i_1, ..., i_k]. Of the k positions of the input and the m of the output take any
partition into blocks, written by the letter of each position: positions of one letter have equal indices, letters that
only the input has are averaged, letters that only the output has are repeated,

$$(B x)[o] = n^{-f} \sum_{i \text{ that agrees with } o} x[i], \qquad f \text{ letters of the input alone},$$

and 0 where o does not agree with itself. They span all linear maps that commute with permutations, Bell(k + m) of them
(Maron et al., 2019), and are independent for n ≥ k + m. Here "ab" -> "ab" is the identity, "a" -> "b" the mean.
"""

from functools import lru_cache
from itertools import product
from typing import Any

Tap = tuple[str, str]  # letters of the input's positions, and of the output's


@lru_cache(maxsize=32)
def partitions(reads: int, writes: int) -> tuple[Tap, ...]:
    """All of them; first those that are somewhere at every output, the identity before all others.

    >>> partitions(1, 1), len(partitions(2, 2)), partitions(2, 2)[0]
    ((('a', 'a'), ('a', 'b')), 15, ('ab', 'ab'))
    """
    letters = "abcd"
    found: list[Tap] = []
    for each in product(range(4), repeat=reads + writes):
        if all(number <= max(each[:i], default=-1) + 1 for i, number in enumerate(each)):
            word = "".join(letters[number] for number in each)
            found.append((word[:reads], word[reads:]))
    return tuple(
        sorted(found, key=lambda tap: (len(set(tap[1])) < writes, tap[0] != tap[1], len(set("".join(tap))), tap))
    )


def free(tap: Tap) -> int:
    """f, how many letters are averaged."""
    return len(set(tap[0]) - set(tap[1]))


def gathered(arrays: Any, x: Any, tap: Tap) -> Any:
    """The means over the letters of the input alone: (batch, one axis for each letter of both, channel).

    `arrays` is NumPy or PyTorch; x (batch, n, ..., channel) is an array of it.
    """
    kept = "".join(letter for letter in dict.fromkeys(tap[1]) if letter in tap[0])
    if kept == tap[0]:
        return x
    return arrays.einsum(f"z{tap[0]}y->z{kept}y", x) / x.shape[1] ** free(tap)


def spread(arrays: Any, means: Any, tap: Tap, members: int) -> Any:
    """These at every output that agrees with itself, 0 elsewhere: what broadcasts to (batch, n, ..., channel)."""
    letters = dict.fromkeys(tap[1])
    axes = [members if letter in tap[0] else 1 for letter in letters]
    found = means.reshape(means.shape[0], *axes, means.shape[-1])
    if len(letters) == len(tap[1]):
        return found
    return found[:, :, None] * arrays.eye(members, dtype=means.dtype)[:, :, None]
