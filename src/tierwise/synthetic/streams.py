"""Random streams: one per seed, chunk of partners and subject, so that no table's draws move another's."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import numpy.typing as npt

Choices = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class Subject(IntEnum):
    """What a stream is for. The numbers are part of the generator's definition: add, never renumber."""

    PARTNERS = 1
    PATHS = 2
    OPPORTUNITIES = 3
    OUTCOMES = 4
    CERTIFICATIONS = 5
    CLAIMS = 6
    LOGINS = 7
    CASES = 8
    HISTORY = 9
    FAULTS = 10


def stream(seed: int, chunk: int, subject: Subject) -> np.random.Generator:
    """The random numbers of one subject for one chunk of partners."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(chunk, int(subject)))))


def choose(random: np.random.Generator, shares: Floats, rows: Choices) -> Choices:
    """Draw one choice per row, where row `i` has the probabilities `shares[rows[i]]`: shape of `rows`."""
    cumulative = np.cumsum(shares, axis=1)
    cumulative /= cumulative[:, -1:]
    draws = random.random(len(rows))
    chosen = np.zeros(len(rows), dtype=np.int64)
    for column in range(shares.shape[1] - 1):
        chosen += draws >= cumulative[rows, column]
    return chosen


def choose_one(random: np.random.Generator, shares: Floats, count: int) -> Choices:
    """Draw `count` choices with the same probabilities."""
    return choose(random, shares.reshape(1, -1), np.zeros(count, dtype=np.int64))
