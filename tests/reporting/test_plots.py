from edittool.reporting.plots import _by_category


def test_each_end_of_an_interval_is_its_own():
    records = [{"method": "ft", "full": 0.5, "full_low": 0.4, "full_high": 0.6}]
    series = _by_category(records, lambda record: str(record["method"]), "full", "full")
    assert (series.x, series.y, series.low, series.high) == (("ft",), (50.0,), (40.0,), (60.0,))


def test_a_column_without_an_interval_has_none():
    series = _by_category([{"method": "ft", "full": None}], lambda record: "ft", "full", "full")
    assert (series.y, series.low, series.high) == ((None,), (), ())
