"""Spaces in YAML, and what is said about those that cannot be."""

import pytest

from qnas.errors import SpaceError
from qnas.space import Space, boolean, choice, integer, real, repeat

TEXT = """
n_qubits: {integer: [3, 6]}
encoding: {choice: {angle: {axis: {choice: [x, y]}, reupload: boolean}, amplitude: {}}}
layers: {repeat: [1, 4], rotation: {choice: [ry, ry_rz]}, entangler: {choice: [cx, cz]}, topology: ring}
blocks: {repeat: [1, 2], tied: true, choice: {dense: {width: {integer: [1, 8]}}, none: {}}}
widths: {repeat: [0, 3], integer: [4, 6]}
hidden: {choice: [[], [16], [32, 16]]}
rate: {real: [1e-4, 1e-1], levels: 4, log: true}
noise: {real: [0, 1]}
head: &head {bias: boolean, kind: {constant: boolean}}
tail: *head
other: {group: {choice: {choice: [1, 2]}}}
budgets: {qubits: 5, flops: 1e6}
"""

head = {"bias": boolean(), "kind": "boolean"}
SPACE = Space(
    n_qubits=integer(3, 6),
    encoding=choice(angle=dict(axis=choice("x", "y"), reupload=boolean()), amplitude={}),
    layers=repeat(1, 4, rotation=choice("ry", "ry_rz"), entangler=choice("cx", "cz"), topology="ring"),
    blocks=repeat(1, 2, choice(dense={"width": integer(1, 8)}, none={}), tied=True),
    widths=repeat(0, 3, integer(4, 6)),
    hidden=choice((), (16,), (32, 16)),
    rate=real(1e-4, 1e-1, levels=4, log=True),
    noise=real(0, 1),
    head=head,
    tail=head,
    other={"choice": choice(1, 2)},
).within(qubits=5, flops=1e6)


def test_yaml_says_what_python_says():
    assert Space.from_yaml(TEXT) == SPACE


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "a space is a mapping of named values, not None."),
        ("- 1", r"a space is a mapping of named values, not \[1\]."),
        ("integer: [1, 2]", r"not the single gene integer\(1, 2\); give the gene a name"),
        ("a: {integer: [3, 2]}", r"at a: integer\(3, 2\) allows nothing"),
        ("a: {integer: [1.5, 2]}", r"at a: integer is \[1.5, 2\]; give two whole numbers, \[low, high\]"),
        ("a: {integer: 3}", "at a: integer is 3; give two whole numbers"),
        ("a: {integer: [true, 2]}", "at a: integer is "),
        ("a: {real: [x, 2]}", r"at a: real is \['x', 2\]; give two numbers"),
        ("a: {real: [0, 1], levels: 2.5}", "at a: levels is 2.5; give a whole number"),
        ("a: {real: [0, 1], lgo: true}", "at a: unknown key beside 'real', 'lgo': did you mean 'log'"),
        ("a: {real: [0, 1], log: 1}", "at a: log is 1; give true or false"),
        ("a: {b: {choice: [x, x]}}", "at a.b: choice.* offers values that are equal"),
        ("a: {choice: x}", "at a: choice is 'x'; give a list of values or a mapping of parts"),
        ("a: {choice: []}", "at a: choice.* takes either plain values or named parts, at least one"),
        ("a: {choice: {x: 3}}", "at a: the part 'x' is 3; give its genes"),
        ("a: {choice: {x: {y: {integer: 1}}}}", "at a.x.y: integer is 1"),
        ("a: {choice: {on: {}}}", "at a: True cannot name a part: it is not text; in YAML, quote it"),
        ("a: {repeat: [1, 2]}", r"at a: repeat\(1, 2\) repeats nothing"),
        ("a: {repeat: 2, b: 1}", "at a: repeat is 2; give two whole numbers"),
        ("a: {repeat: [1, 2], b: {integer: [2, 1]}}", r"at a.b: integer\(2, 1\) allows nothing"),
        ("a: {repeat: [1, 2], of: {b: 1}, c: 2}", "at a: unknown key beside 'repeat', 'c'"),
        ("a: {repeat: [1, 2], tied: 1, b: 1}", "at a: tied is 1; give true or false"),
        ("a: integer", "at a: 'integer' alone is no gene; for the text itself write {constant: integer}"),
        ("a: {boolean: true}", "at a: 'boolean' cannot stand here: write 'boolean' alone"),
        ("a: {budgets: {qubits: 3}, b: 1}", "at a: 'budgets' cannot stand here: a budget bounds the whole design"),
        ("a: 1\nconstraints: [b > a]", "'constraints' cannot stand here: text cannot carry predicates"),
        ("a: {group: 3}", "at a: group is 3; give a mapping of named values"),
        ("a: 2020-01-01", "at a: the value is .*neither a gene, a dict of genes nor a plain value"),
        ("a.b: 1", "'a.b' cannot name a gene"),
        ("1: 1", "1 cannot name a gene"),
        ("a: 1\nbudgets: 3", "at budgets: 3 is not a mapping of names to numbers"),
        ("a: 1\nbudgets: {qubits: many}", "at budgets.qubits: 'many' is not a number"),
        ("a: 1\nbudgets: {qubits: -1}", "the budget qubits is -1; a budget is a number of at least 0"),
        ("a: 1\na: 2", "not YAML: the key 'a' is given twice .*line 2"),
        ("a: [1", "the text of a space is not YAML: .*line 1"),
    ],
)
def test_what_cannot_be_is_explained_in_one_line_with_its_place(text, sentence):
    with pytest.raises(SpaceError, match=sentence) as caught:
        Space.from_yaml(text)
    assert "\n" not in str(caught.value)


def test_what_is_no_json_is_explained():
    with pytest.raises(SpaceError, match="the text of a space is not JSON: Expecting"):
        Space.from_json("{")
