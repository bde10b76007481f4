from qnas.space import Space, boolean, choice, integer, real, repeat


def test_a_row_for_each_gene():
    space = Space(
        n=integer(2, 30),
        encoding=choice(angle={"reupload": boolean()}, amplitude={}),
        layers=repeat(0, 2, gate=choice("cx", None)),
        heads=repeat(1, 2, tied=True, hidden=choice((), (16, 8))),
        rate=real(0.0, 1.0, levels=3),
        fixed="ring",
    )
    assert [tuple(row.values()) for row in space.describe()] == [
        ("n", "integer", "2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, ..., 30", ""),
        ("encoding", "choice", "angle, amplitude", ""),
        ("encoding.angle.reupload", "boolean", "False, True", "encoding is angle"),
        ("layers", "repeat", "0, 1, 2", ""),
        ("layers.0.gate", "choice", "cx, None", "layers >= 1"),
        ("layers.1.gate", "choice", "cx, None", "layers >= 2"),
        ("heads", "tied repeat", "1, 2", ""),
        ("heads.hidden", "choice", "none, 16x8", ""),
        ("rate", "real", "0.0, 0.5, 1.0", ""),
    ]
    assert {tuple(row) for row in space.describe()} == {("gene", "kind", "values", "condition")}
