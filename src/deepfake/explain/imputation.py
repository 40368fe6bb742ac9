"""Noisy linear imputation: fill removed pixels from what is left, so that the hole itself tells nothing.

Rong et al. (2022), A consistent and efficient evaluation strategy for attribution methods: a removed pixel is the
weighted mean of its eight neighbours, which is one sparse linear system for all of them, plus a little noise.
"""

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.linalg import splu

NOISE = 0.01  # standard deviation in [0, 1]
_WEIGHTS = {(dy, dx): (1 / 12 if dy and dx else 1 / 6) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dy or dx}


def impute(picture: np.ndarray, removed: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A copy of a picture whose removed pixels are interpolated from the others.

    Args:
        picture: (S, S, 3) in [0, 1].
        removed: bool (S, S), True for pixels to fill; at least one must be left.
        rng: source of the noise.

    Returns:
        (S, S, 3) in [0, 1], float32.
    """
    filled = picture.astype(np.float32)
    count = int(removed.sum())
    if count == 0:
        return filled
    if count == removed.size:
        raise ValueError("no pixel is left to impute from")
    noise = rng.normal(0, NOISE, (count, picture.shape[2]))
    filled[removed] = np.clip(_solve(picture, removed) + noise, 0, 1)
    return filled


def _solve(picture: np.ndarray, removed: np.ndarray) -> np.ndarray:
    """Values (N, 3) of the removed pixels, each the weighted mean of those neighbours that are in the picture."""
    places = np.argwhere(removed)
    count = len(places)
    number = np.full(removed.shape, -1)
    number[removed] = np.arange(count)
    diagonal, known = np.zeros(count), np.zeros((count, picture.shape[2]))
    entries = []
    for offset, weight in _WEIGHTS.items():
        neighbours = places + offset
        (inside,) = np.nonzero(((neighbours >= 0) & (neighbours < removed.shape)).all(axis=1))
        y, x = neighbours[inside].T
        diagonal[inside] += weight
        unknown = removed[y, x]
        known[inside[~unknown]] += weight * picture[y[~unknown], x[~unknown]]
        entries.append((inside[unknown], number[y[unknown], x[unknown]], np.full(unknown.sum(), -weight)))
    entries.append((np.arange(count), np.arange(count), diagonal))
    rows, columns, values = (np.concatenate(part) for part in zip(*entries, strict=True))
    system = coo_array((values, (rows, columns)), shape=(count, count)).tocsc()
    # The system is symmetric: this ordering makes the factors several times sparser than the default does.
    return splu(system, permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True}).solve(known)
