def extraction(made):
    return [list(table.records()) for table in made.tables if table.name == "extraction"]


def test_is_left_out_where_no_sample_says_it(report, verdict):
    assert extraction(report([verdict("rel/0", 2)])) == []


def test_every_kind_is_counted_by_model_and_method(report, verdict):
    def sample(kind, **fields):
        return verdict("spe/0", 2, extraction={"mode": "auto", "kind": kind}, **fields)

    made = report([
        *(sample("fence", model="a") for _ in range(3)), sample("no_program", model="a"),
        verdict("spe/1", 2, model="a"),
        sample("as_is", model="b"), verdict("spe/1", 2, model="c"),
    ])  # fmt: skip
    (rows,) = extraction(made)
    names = ("model", "samples", "as_is", "fence", "open_fence", "text", "cut", "no_program", "no_program_share")
    assert [tuple(row[name] for name in (*names, "not_said")) for row in rows] == [
        ("a", 4, 0, 3, 0, 0, 0, 1, 0.25, 1),
        ("b", 1, 1, 0, 0, 0, 0, 0, 0.0, 0),
    ]
    (table,) = [table for table in made.tables if table.name == "extraction"]
    assert [note.split(":")[0].split(" ")[0] for note in table.notes] == ["Settings", "not"]
