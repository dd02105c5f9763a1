"""Small packages made up in tests, as the files of a wheel."""

from edittool.benchmark.scaffold.public_api import PublicApi, read_public_api


def read(source: str = "", **modules: str) -> PublicApi:
    """Return the API of a package `lib` with the source of its `__init__`, and of modules by name."""
    files = {"lib/__init__.py": source.encode()}
    files |= {f"lib/{name.replace('__', '/')}.py": text.encode() for name, text in modules.items()}
    return read_public_api(files)
