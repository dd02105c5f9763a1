def overview(made):
    (table,) = [table for table in made.tables if table.name == "overview"]
    return table


def test_samples_of_edits_that_were_undone_are_counted_and_told(report, verdict):
    edited = {"model": "m", "method": "ft", "regime": "instant", "step": 1}
    made = report([
        verdict("rel/0", 2, **edited, edited=["len"], undone=["len"]),
        verdict("gen/0", 0, **edited, edited=["len"], undone=["len"]),
        verdict("rel/1", 2, **edited, edited=["max"]),
        verdict("rel/1", 2, model="m", method="none", regime="none"),
    ])  # fmt: skip
    table = overview(made)
    assert {row["method"]: row["undone"] for row in table.records()} == {"unedited": 0, "ft": 2}
    (note,) = [note for note in table.notes if note.startswith("undone:")]
    assert "NaN or infinite" in note


def test_nothing_is_told_where_all_edits_are_in_the_model(report, verdict):
    table = overview(report([verdict("rel/0", 2, model="m", method="ft", step=1, edited=["len"])]))
    assert [row["undone"] for row in table.records()] == [0]
    assert not [note for note in table.notes if note.startswith("undone")]
