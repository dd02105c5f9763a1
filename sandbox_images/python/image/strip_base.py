"""Copies the interpreter, its standard library and the shared libraries they need out of a base image; nothing else.

Runs as root at image build, on the Python 3.11 of the base: ``python3.11 -P -s -S -B strip_base.py OUT``. The layout
is the same for every base: ``/usr/bin/python3``, ``/usr/lib/python3.11`` and the libraries beside the C library.
``strip_base.py --compile OUT`` makes the runner's modules, already in OUT, ready in the same way;
``strip_base.py --libraries PACKAGES OUT`` copies the base's libraries that third-party packages need.
"""

import compileall
import os
import py_compile
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

# Package managers; graphical programs and tests; what needs a terminal or the host; leftovers of building Python.
UNWANTED = (
    *("ensurepip", "venv", "site-packages", "dist-packages", "distutils", "lib2to3", "EXTERNALLY-MANAGED"),
    *("idlelib", "tkinter", "turtle.py", "turtledemo", "test", "tests", "pydoc_data", "sitecustomize.py"),
    *("_tkinter.*", "_test*", "_ctypes_test*", "_xxtestfuzz*", "xxlimited*", "_xxinterp*", "_xxsubinterpreters*"),
    *("readline.*", "_curses*", "_dbm.*", "_gdbm.*", "nis.*", "ossaudiodev.*", "spwd.*"),
    *("__pycache__", "config-*", "*.a", "*.exe", "*.dist-info"),
)
INTERPRETER = "usr/bin/python3"
STANDARD_LIBRARY = f"usr/lib/python{sys.version_info.major}.{sys.version_info.minor}"
EXECUTE_ONLY = 0o751  # a process whose program it cannot read is not dumpable: nobody but root reads its memory
READERS = 19_999  # the group that may read it: gVisor runs nothing else, and only its containers are in the group
EPOCH = 1_700_000_000  # the time of every file, so that equal bases give equal images


def copy_standard_library(out: Path) -> Path:
    """Copy the modules into `out` and return their folder there."""
    target = out / STANDARD_LIBRARY
    shutil.copytree(sysconfig.get_path("stdlib"), target, ignore=shutil.ignore_patterns(*UNWANTED))
    return target


def copy_interpreter(out: Path) -> Path:
    """Copy the running interpreter into `out` and return the copy."""
    target = out / INTERPRETER
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(os.path.realpath(sys.executable), target)
    return target


def loader_of(program: Path) -> str:
    """Return the path of the dynamic loader that `program` asks for, which its first page names."""
    found = re.search(rb"/lib[\w./-]*/ld-linux[\w.-]*\.so\.\d+", program.read_bytes()[:4096])
    if found is None:
        sys.exit(f"strip_base: {program} names no GNU dynamic loader; use a base with glibc")
    return found.group().decode()


def libraries_of(loader: str, program: Path) -> dict[str, str | None]:
    """Return what the loader would load for `program`: each library's name and its path, None where it finds none."""
    # Not with its --list, which ends at the first one that is missing.
    traced = {**os.environ, "LD_TRACE_LOADED_OBJECTS": "1"}
    listed = subprocess.run([loader, program], env=traced, capture_output=True, text=True, check=False)
    found = re.findall(r"^\s*(\S+) => (?:(/\S+) \(|not found)", listed.stdout, re.MULTILINE)
    return {name: path or None for name, path in found}


def copy_libraries(out: Path, interpreter: Path, modules: Path) -> None:
    """Copy the loader and every library that the interpreter or an extension module needs.

    All land beside the C library: a folder the loader searches without a cache or a path of its own.
    """
    loader = loader_of(interpreter)
    needed: dict[str, str] = {}
    for program in (interpreter, *sorted(modules.rglob("*.so"))):
        for name, path in libraries_of(loader, program).items():
            if path is None:
                sys.exit(f"strip_base: the base has no {name}, which {program.name} needs")
            needed[name] = path
    folder = Path(needed["libc.so.6"]).parent
    # The end of a thread loads it by name, without a reference that could be listed.
    needed.setdefault("libgcc_s.so.1", str(find_library("libgcc_s.so.1", folder)))
    for name, path in needed.items():
        copy_file(path, out / folder.relative_to("/") / name)
    copy_file(loader, out / loader.lstrip("/"))


def copy_libraries_of_packages(packages: Path, out: Path) -> None:
    """Copy into `out`, beside the C library, what the base has of the libraries that compiled parts of `packages` need.

    What it lacks is told, and left to the import: a package may bring it along in a place of its own.
    """
    interpreter = Path(os.path.realpath(sys.executable))
    loader = loader_of(interpreter)
    folder = out / Path(str(libraries_of(loader, interpreter)["libc.so.6"])).parent.relative_to("/")
    folder.mkdir(parents=True)
    brought = [path for path in sorted(packages.rglob("*.so*")) if path.is_file()]
    names = {path.name for path in brought}
    missing: dict[str, Path] = {}
    for program in brought:
        if program.read_bytes()[:4] != b"\x7fELF":
            continue
        for name, path in libraries_of(loader, program).items():
            if path is None:
                if name not in names:  # else another part has loaded it by then
                    missing.setdefault(name, program.relative_to(packages))
            elif not Path(path).is_relative_to(packages):
                copy_file(path, folder / name)
    for name, program in sorted(missing.items()):
        sys.stdout.write(f"note: {program} needs {name}, which the base of the image lacks\n")
    settle(out)


def find_library(name: str, folder: Path) -> Path:
    """Return the path of the library `name`, in `folder` or in its twin with or without /usr."""
    twin = Path("/usr", folder.relative_to("/"))
    for place in (folder, twin, Path("/", *folder.parts[2:])):
        if (place / name).is_file():
            return place / name
    sys.exit(f"strip_base: the base has no {name}")


def copy_file(source: str, target: Path) -> None:
    """Copy the contents of `source`, following links."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def precompile(modules: Path, out: Path) -> None:
    """Compile every module; the compiled file is trusted without looking at the source, which is read-only anyway."""
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    if not compileall.compile_dir(modules, quiet=1, stripdir=out, prependdir="/", invalidation_mode=mode, maxlevels=20):
        sys.exit("strip_base: a module does not compile (its error is above)")


def settle(out: Path) -> None:
    """Give everything to root, take every special right away, and set the time of every file."""
    for path in (out, *out.rglob("*")):
        executable = path.is_dir() or path.name.startswith("ld-linux")
        os.chown(path, 0, 0)
        path.chmod(0o755 if executable else 0o644)
        os.utime(path, (EPOCH, EPOCH))


def strip(out: Path) -> None:
    """Make the root file system in the folder `out`."""
    modules = copy_standard_library(out)
    interpreter = copy_interpreter(out)
    copy_libraries(out, interpreter, modules)
    precompile(modules, out)
    for folder in ("tmp", "proc", "sys", "dev"):
        (out / folder).mkdir(exist_ok=True)
    settle(out)
    os.chown(interpreter, 0, READERS)
    interpreter.chmod(EXECUTE_ONLY)
    (out / "tmp").chmod(0o1777)  # the engine gives what it mounts there the mode of the folder underneath


def main() -> None:
    """Make a root file system in OUT, compile the modules that are there already, or copy what packages need."""
    if sys.argv[1] == "--compile":
        out = Path(sys.argv[2])
        precompile(out, out)
        settle(out)
    elif sys.argv[1] == "--libraries":
        copy_libraries_of_packages(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        strip(Path(sys.argv[1]))


if __name__ == "__main__":
    main()
