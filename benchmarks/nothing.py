"""Objectives that cost nothing and are different for all designs; for `objectives.add`."""

import qnas


def _digits(design, start: int) -> float:
    return int(design.architecture.fingerprint[start : start + 8], 16) / 16**8


@qnas.objective("minimize", "1", cost="circuit")
def first_digits(design) -> float:
    return _digits(design, 0)


@qnas.objective("minimize", "1", cost="circuit")
def last_digits(design) -> float:
    return _digits(design, 8)
