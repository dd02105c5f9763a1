"""What many tests need: a real engine, the real sandbox image, and the folder of the public data sets."""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from hypothesis import HealthCheck, settings

from edittool.judging.engine.engine import connect
from edittool.judging.image.build import find_image
from edittool.schemas.errors import EnvironmentFault

from . import tiers
from .browser import Chromium, OpenPage, running_chromium
from .engines import save_sandbox_image

REPOSITORY = Path(__file__).resolve().parent.parent
DEVELOPERS_CACHE = os.environ.get("EDITTOOL_CACHE")


# How long an example takes is the machine's load: it decides no test.
settings.register_profile("edittool", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("edittool")


def pytest_configure(config: pytest.Config) -> None:
    """Give torch one thread, in commands too, before it is imported; and hold the pure tests to what they promise.

    On tensors as small as those of the tests, threads only wait for each other, which costs several times the CPU time.
    """
    patch = pytest.MonkeyPatch()
    config.add_cleanup(patch.undo)
    patch.setenv("OMP_NUM_THREADS", "1")
    if tiers.only_pure(config):
        tiers.refuse_the_rest(patch)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out what holds no pure test where no other is asked for: importing torch alone takes seconds."""
    if not tiers.only_pure(config) or collection_path.resolve() == tiers.TESTS:
        return None
    file = collection_path / "conftest.py" if collection_path.is_dir() else collection_path
    return True if file.suffix == ".py" and file.is_file() and tiers.marks_of_file(file) else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the tests, before `-m` chooses among them; with several workers, what takes long goes first."""
    tiers.mark(items)
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what tests recorded for everybody to see (`record_property`), whichever worker ran them."""
    reports = [report for outcome in ("passed", "failed") for report in terminalreporter.stats.get(outcome, ())]
    for title, text in dict(entry for report in reports for entry in report.user_properties).items():
        terminalreporter.section(title)
        terminalreporter.write_line(text)


@pytest.fixture(scope="session", autouse=True)
def cache_of_the_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what tests put into caches apart from the developer's: no test may be answered by an earlier run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDITTOOL_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True)
def cache_of_the_test(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each test a cache of its own: what a test judges really runs."""
    monkeypatch.setenv("EDITTOOL_CACHE", str(tmp_path_factory.getbasetemp() / "caches" / secrets.token_hex(8)))


@pytest.fixture
def developers_cache(monkeypatch: pytest.MonkeyPatch, cache_of_the_test: None) -> None:
    """Use the developer's cache, for a tiny model that takes a minute to train."""
    if DEVELOPERS_CACHE is None:
        monkeypatch.delenv("EDITTOOL_CACHE")
    else:
        monkeypatch.setenv("EDITTOOL_CACHE", DEVELOPERS_CACHE)


@pytest.fixture(scope="session")
def docker_client() -> Iterator[docker.DockerClient]:
    """Return a client of the running engine, which has the sandbox image. Fails without: nothing stands in for them."""
    try:
        client = connect()
        find_image(client)
    except EnvironmentFault as fault:
        pytest.fail(f"these tests need Docker and the sandbox image (`make setup`): {fault}", pytrace=False)
    yield client
    client.close()


@pytest.fixture(scope="session")
def sandbox_archive(docker_client: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an archive of the sandbox image, for engines of a test's own."""
    return save_sandbox_image(docker_client, tmp_path_factory.mktemp("image") / "sandbox.tar")


@pytest.fixture(scope="session")
def datasets() -> Path:
    """Return the folder of the public data sets: $EDITTOOL_DATASETS, or shared/datasets beside the repository."""
    folder = Path(os.environ.get("EDITTOOL_DATASETS") or REPOSITORY.parent / "shared" / "datasets")
    if not folder.is_dir():
        pytest.skip(
            f"no data sets in {folder}; they do not ship with the project (EDITTOOL_DATASETS names another folder)"
        )
    return folder


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    """Return a real browser for the tests of one module. Skips them where there is none."""
    with running_chromium() as chromium:
        yield chromium


@pytest.fixture
def open_page(chromium: Chromium) -> Iterator[OpenPage]:
    """Return a function that opens a file in the browser and watches it; see `Visit`."""
    with chromium.visits() as open_page:
        yield open_page
