import pytest

from .pages import Made, bench_in, make_page, verdicts_for


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A page whose every text from a file is hostile, and what it was made from."""
    folder = tmp_path_factory.mktemp("report")
    bench = bench_in(folder / "bench")
    return make_page(folder, bench, verdicts_for(bench))
