"""Words of the language that are misspelt do not pass as plain values."""

import pytest

from qnas.space import Space, boolean, choice, integer, load_space, repeat, space_names
from qnas.space.words import misspelt


@pytest.mark.parametrize(
    ("text", "place", "word", "gene"),
    [
        ("n: {integr: [2, 6]}", "n", "integr", "integer"),
        ("n: {int: [2, 6]}", "n", "int", "integer"),
        ("n: {Real: [0.1, 1.0]}", "n", "Real", "real"),
        ("n: {choise: [a, b, c]}", "n", "choise", "choice"),
        ("part: {choices: {angle: {axis: x}}}", "part", "choices", "choice"),
        ("layers: {repeats: [1, 3], rotation: ry}", "layers", "repeats", "repeat"),
        ("layers: {repeat: [1, 3], rotation: {choce: [ry, rx]}}", "layers.rotation", "choce", "choice"),
    ],
)
def test_a_word_that_is_misspelt(text, place, word, gene):
    assert list(misspelt(Space.from_yaml(text).tree)) == [
        f"{place} is a value called {word!r}, the same in all designs; did you mean the gene {gene!r}?"
    ]


@pytest.mark.parametrize("word", ["bolean", "Boolean", "bool"])
def test_the_gene_that_is_a_single_word(word):
    space = Space.from_yaml(f"part: {{choice: {{angle: {{reupload: {word}}}}}}}")
    assert list(misspelt(space.tree)) == [
        f"part.angle.reupload is the text {word!r}, the same in all designs; did you mean the gene 'boolean'?"
    ]


def test_what_only_resembles_a_word_is_let_be():
    """`repeats` is an option of an encoding; only two numbers make it look like a gene."""
    space = Space(
        repeats=3, integers=(1, 2), choices="x",
        encoding=choice(iqp=dict(repeats=integer(1, 2)), other=dict(repeats=2, scale=0.5)),
        layers=repeat(1, 2, rotation="ry", chain=(1, 2, 3)), flag=boolean(), hidden=(8, 4), kind={"name": "plain"},
    )  # fmt: skip
    assert list(misspelt(space.tree)) == []


@pytest.mark.parametrize("name", space_names())
def test_no_bundled_space_misspells_a_word(name):
    assert list(misspelt(load_space(name).tree)) == []
