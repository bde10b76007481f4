"""How often intervals hold what they are meant to hold."""

import numpy as np


def share_held(values, errors, truth):
    """Of the intervals value +- 1.96 errors, one per row."""
    return np.mean(np.abs(np.asarray(values) - truth) <= 1.96 * np.asarray(errors), axis=0)


def is_honest(share):
    """Of 200 intervals that each hold with 95 %, 90 to 98 % do with a probability of 0.99."""
    return bool(0.9 <= share <= 0.98)
