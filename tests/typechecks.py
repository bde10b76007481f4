"""Types are checked while tests run, shapes where there are arrays, in the first calls of a function in each test.

jaxtyping takes ten times as long as beartype, which is most of the time of a loop over gates or designs. Its import
hook (`--jaxtyping-packages` in pyproject.toml) decorates all functions of qnas by `jaxtyping.jaxtyped`.
"""

import inspect
import typing
from collections import Counter
from functools import partial, wraps

import jaxtyping
from beartype import BeartypeConf

_everywhere = jaxtyping.jaxtyped
_SAME_ERROR = BeartypeConf(violation_type=jaxtyping.TypeCheckError)
N_CHECKED = 20
"""Calls of a function in one test whose shapes are checked."""
n_calls = Counter()
"""By function, since the test began."""


def where_needed(fn=None, *, typechecker):
    """`jaxtyping.jaxtyped` for what has arrays among its annotations, or some that cannot be told."""
    if fn is None:
        return partial(where_needed, typechecker=typechecker)
    if not inspect.isfunction(fn):
        return _everywhere(fn, typechecker=typechecker)
    if _may_have_arrays(fn):
        return _at_first(fn, _everywhere(fn, typechecker=typechecker))
    return typechecker(fn, conf=_SAME_ERROR) if fn.__annotations__ else fn


def _at_first(fn, checked):
    @wraps(fn)
    def call(*arguments, **keywords):
        n_calls[fn] += 1
        return (checked if n_calls[fn] <= N_CHECKED else fn)(*arguments, **keywords)

    return call


def _may_have_arrays(fn):
    try:
        annotations = [_evaluated(one, fn.__globals__) for one in fn.__annotations__.values()]
    except (NameError, TypeError):  # of what is imported for type checkers alone, or is no class at run time
        return True
    return any(map(_is_of_arrays, annotations))


def _evaluated(annotation, namespace):
    return eval(annotation, namespace) if isinstance(annotation, str) else annotation


def _is_of_arrays(annotation):
    if isinstance(annotation, list | tuple):  # the arguments of a Callable
        return any(map(_is_of_arrays, annotation))
    own = inspect.isclass(annotation) and issubclass(annotation, jaxtyping.AbstractArray)
    return own or any(map(_is_of_arrays, typing.get_args(annotation)))
