"""Which tests of a suite fail on a part, without pytest around them."""

import inspect
from itertools import product

import pytest


def failures(suite, **attributes):
    """The first message of each test that fails, by its name without "test_"."""
    filled = type("Filled", (suite,), attributes)
    names = [name for name in dir(filled) if name.startswith("test_")]
    found = {name.removeprefix("test_"): first_failure(getattr(filled(), name), filled) for name in names}
    return {name: message for name, message in found.items() if message is not None}


def first_failure(test, suite):
    """Of a test in all its cases; None if it passes or is skipped in each."""
    for case in product(*(getattr(suite, argument) for argument in inspect.signature(test).parameters)):
        try:
            test(*case)
        except pytest.skip.Exception:
            pass
        except Exception as error:  # noqa: BLE001 - whatever a part raises is a failure
            return f"{type(error).__name__}: {error}"
    return None
