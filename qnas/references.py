"""What is to be cited: parts name the sources of their methods, and a run writes those that it used as BibTeX.

A key is that of an entry in `references.bib`, or an identifier, "arXiv:2405.20237" or "doi:10.1103/...", whose entry
holds nothing else.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeVar

from qnas.errors import PluginError, unknown

T = TypeVar("T")

_FILE = Path(__file__).with_name("references.bib")
_MARK = "__citations__"
_ENTRY = re.compile(r"^@\w+\{(\S+),\n.*?^\}$", re.MULTILINE | re.DOTALL)
_FIELD = re.compile(r"^ +(eprint|doi) += \{(.+)\},$", re.MULTILINE)
_NUMBER = r"(?:\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{7})"
_ARXIV = re.compile(rf"\barxiv(?:\.org/(?:abs|pdf)/|:|\s)\s*({_NUMBER}(?:v\d+)?(?:,\s+{_NUMBER})*)", re.IGNORECASE)
_DOI = re.compile(r"\bdoi(?:\.org/|:|\s)\s*(10\.\d{4,9}/[^\s,;)}\]]*[^\s,;.)}\]])", re.IGNORECASE)
_ALONE: dict[str, tuple[re.Pattern[str], str]] = {
    "arXiv": (
        re.compile(_NUMBER),
        "  eprint        = {{{0}}},\n  archivePrefix = {{arXiv}},\n  url           = {{https://arxiv.org/abs/{0}}},\n",
    ),
    "doi": (
        re.compile(r"10\.\d{4,9}/[^\s,{}%#\\]+"),
        "  doi           = {{{0}}},\n  url           = {{https://doi.org/{0}}},\n",
    ),
}
"""Of each kind of identifier, its form and the fields of its entry."""


@dataclass(frozen=True)
class _Mark:
    keys: tuple[str, ...]
    by_option: Mapping[str, Mapping[Any, str]]


def cites(*keys: str, by_option: Mapping[str, Mapping[Any, str]] | None = None) -> Callable[[T], T]:
    """Mark a part with its sources, which a run that uses it writes to references.bib.

    A part without this mark has the sources that its docstring names by arXiv number or DOI, and an objective those of
    its `reference`, too.

    Args:
        keys: of the sources, e.g. "sim2019", "arXiv:2405.20237" or "doi:10.1103/PhysRevA.98.032309".
        by_option: a further key for some values of an option, by the name of the option.

    Raises:
        PluginError: there is no such key.
    """
    options = by_option or {}
    for key in (*keys, *(key for by_value in options.values() for key in by_value.values())):
        check_key(key)

    def mark(part: T) -> T:
        setattr(part, _MARK, _Mark(keys, options))
        return part

    return mark


def cited(part: Any, options: Mapping[str, Any] | None = None, text: str = "") -> list[str]:
    """The keys of a part's sources.

    Args:
        part: a function or class, or a partial of one, whose keywords are options.
        options: what it was used with; those that are missing have their defaults.
        text: names sources beside the docstring, where the part carries no mark.
    """
    given = dict(options or {})
    while isinstance(part, partial):
        given |= part.keywords
        part = part.func
    mark = getattr(part, _MARK, None)
    if mark is None:
        return named_in(f"{text}\n{part.__doc__ or ''}")
    own = {name: one.default for name, one in inspect.signature(part).parameters.items()} if mark.by_option else {}
    chosen = [by_value.get((own | given).get(option)) for option, by_value in mark.by_option.items()]
    return [*mark.keys, *(key for key in chosen if key is not None)]


def named_in(text: str) -> list[str]:
    """The keys of all sources that a text names by arXiv number or DOI, such as "arXiv 2605.18345, 2511.10062"."""
    numbers = [number for found in _ARXIV.findall(text) for number in re.findall(_NUMBER, found)]
    keys = [*(f"arXiv:{number}" for number in numbers), *(f"doi:{doi}" for doi in _DOI.findall(text))]
    return list(dict.fromkeys(_by_identifier().get(key.lower(), key) for key in keys))


def check_key(key: str) -> None:
    """Raise PluginError if a key names nothing."""
    kind, _, number = key.partition(":")
    if key not in entries() and not (kind in _ALONE and _ALONE[kind][0].fullmatch(number)):
        raise PluginError(unknown("reference", key, entries(), "Name any other as arXiv:2405.20237 or doi:10.1103/..."))


def bibtex(keys: Iterable[str]) -> str:
    """The entries of these keys, each once, sorted. Raises PluginError if there is no such key."""
    return "\n".join(_entry(key) for key in sorted(set(keys), key=str.lower))


def _entry(key: str) -> str:
    check_key(key)
    if key in entries():
        return entries()[key] + "\n"
    kind, _, number = key.partition(":")
    return f"@misc{{{key},\n{_ALONE[kind][1].format(number)}}}\n"


@cache
def entries() -> dict[str, str]:
    """The entries that qnas ships, by key."""
    return {found[1]: found[0] for found in _ENTRY.finditer(_FILE.read_text(encoding="utf-8"))}


@cache
def _by_identifier() -> dict[str, str]:
    """Keys by arXiv:number and doi:number, in small letters."""
    kinds = {"eprint": "arxiv", "doi": "doi"}
    found = ((key, *field) for key, text in entries().items() for field in _FIELD.findall(text))
    return {f"{kinds[name]}:{number}".lower(): key for key, name, number in found}
