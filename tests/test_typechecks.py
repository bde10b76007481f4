"""Signatures are enforced while tests run, with arrays among the annotations and without."""

from dataclasses import dataclass

import jaxtyping
import numpy as np
import pytest
from beartype import beartype
from jaxtyping import Float, TypeCheckError

from qnas.objectives.entangling import haar_entanglement, meyer_wallach
from qnas.objectives.expressibility import scored
from tests.typechecks import N_CHECKED, n_calls, where_needed

Row = Float[np.ndarray, " entries"]


def test_the_import_hook_finds_it():
    assert jaxtyping.jaxtyped is where_needed


def test_shapes_and_their_names_are_checked():
    with pytest.raises(TypeCheckError):
        meyer_wallach(np.ones(4, dtype=complex))
    with pytest.raises(TypeCheckError):
        scored(np.ones(3, dtype=int), np.zeros(4), np.random.default_rng(0))


def test_other_types_are_checked():
    with pytest.raises(TypeCheckError):
        haar_entanglement("4")


def test_arrays_are_found_wherever_they_stand():
    def deep(rows: tuple[int, dict[str, list[Row] | None]]): ...
    def text(row: "Row"): ...
    def later(row: "NotYet"): ...
    def plain(number: int): ...

    @dataclass
    class Record:
        row: Row

    checked = [where_needed(one, typechecker=beartype) for one in (deep, text, later, plain, Record)]
    for one, wrong in zip(checked[:2], ((1, {"a": [np.ones((2, 2))]}), np.ones((2, 2))), strict=True):
        with pytest.raises(TypeCheckError):
            one(wrong)
    with pytest.raises(TypeCheckError):
        checked[3]("1")
    with pytest.raises(TypeCheckError):
        checked[4](np.ones((2, 2)))


def test_shapes_are_checked_in_the_first_calls_of_each_test():
    wrong = np.ones(4, dtype=complex)

    def loop(state: Row) -> int:
        return len(state)

    checked = where_needed(loop, typechecker=beartype)
    for _ in range(2):
        n_calls.clear()  # as at the beginning of a test
        for _ in range(N_CHECKED):
            with pytest.raises(TypeCheckError):
                checked(wrong)
        assert checked(wrong) == 4


def test_what_has_no_annotations_stays_as_it_is():
    def bare(number): ...

    assert where_needed(bare, typechecker=beartype) is bare
