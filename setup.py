"""Finds the packages: setuptools does so from pyproject.toml only where the folders bear the names they install as."""

from pathlib import Path

from setuptools import find_packages, setup

FOLDERS = [path.parent.name for path in sorted(Path(__file__).parent.glob("*/__init__.py"))]
FOUND = find_packages(include=[*FOLDERS, *(f"{folder}.*" for folder in FOLDERS)])

setup(packages=[f"edittool.{name}" for name in FOUND])
