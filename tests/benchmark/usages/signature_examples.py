"""Arguments that the APIs of the signature table accept, and what a call came to, so that two can be compared."""

import array
import ast
import bisect
import cmath
import collections
import copy
import datetime
import decimal
import fractions
import functools
import hashlib
import heapq
import itertools
import json
import math
import operator
import os
import random
import re
import statistics
import string
import sys
import time
import tomllib
from inspect import Parameter
from pathlib import Path

from edittool.benchmark.usages.apis import find_api
from edittool.benchmark.usages.signatures import signature_of

EXAMPLES = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))

# Their results differ from call to call, or show an address.
UNSTEADY = frozenset(
    "copy.copy datetime.datetime.now functools.cmp_to_key functools.lru_cache id memoryview object operator.attrgetter "
    "random.random time.monotonic time.perf_counter time.time collections.namedtuple".split()
)
MODULES = (
    array, bisect, cmath, collections, copy, datetime, decimal, fractions, functools, hashlib, heapq, itertools, json,
    math, operator, os, random, re, statistics, string, sys, time,
)  # fmt: skip


class Thing:
    """Something with an attribute, and with items, that can be called."""

    def __init__(self):
        self.part = 1

    def __repr__(self):
        return f"Thing({vars(self)})"

    def __iter__(self):
        return iter([3, 4])

    def __call__(self):
        self.part += 1
        return self.part % 3


SCOPE = {"Thing": Thing, **{module.__name__: module for module in MODULES}}


def example_values(api):
    """Return the text of an argument for each parameter of `api`; starred ones have a list, or pairs, of texts."""
    full = signature_of(find_api(api)).full
    call = ast.parse(f"f({EXAMPLES[api]})", mode="eval").body
    keywords = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
    values = full.bind(*map(ast.unparse, call.args), **keywords).arguments
    for name, parameter in full.parameters.items():
        if name not in values and parameter.kind not in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD):
            assert repr(parameter.default) != "...", f"{api} has no example of {name}"
            values[name] = repr(parameter.default)
    return values


def outcome(run):
    """Return what `run` gives, or the error it raises, in a form that can be compared."""
    try:
        return _shown(run())
    except Exception as error:
        return type(error).__name__


def _shown(value):
    if hasattr(value, "__next__"):
        return type(value).__name__, [_shown(item) for item in itertools.islice(value, 20)]
    if isinstance(value, tuple | list):
        return type(value).__name__, [_shown(item) for item in value]
    if hasattr(value, "hexdigest"):
        return value.hexdigest()
    return type(value).__name__, repr(value)
