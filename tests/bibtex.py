"""A small reader of BibTeX that accepts nothing else: entries, fields in braces, comments."""

import re

REQUIRED = {
    "article": {"author", "title", "journal", "year"},
    "inproceedings": {"author", "title", "booktitle", "year"},
    "misc": {"url"},
}


def parsed(text):
    """Fields of each entry, with its kind as `kind`, by key. Raises AssertionError for what is no BibTeX."""
    rest, found = re.sub(r"^%.*$", "", text, flags=re.MULTILINE).strip(), {}
    while rest:
        head = re.match(r"@(\w+)\{([^\s{}(),%#~\\\"']+),\s*", rest)
        assert head, f"no entry begins with {rest[:40]!r}"
        fields, rest = fields_of(rest[head.end() :])
        assert head[2] not in found, f"the key {head[2]!r} is there twice"
        found[head[2]] = {"kind": head[1], **fields}
        rest = rest.strip()
    return found


def fields_of(text):
    fields = {}
    while not text.startswith("}"):
        head = re.match(r"(\w+)\s*=\s*\{", text)
        assert head, f"no field begins with {text[:40]!r}"
        value, text = braced(text[head.end() :])
        assert head[1] not in fields, f"the field {head[1]!r} is there twice"
        fields[head[1]] = value
        text = re.sub(r"^,?\s*", "", text)
    return fields, text[1:]


def braced(text):
    """Up to the brace that closes, and what comes after it."""
    depth = 1
    for k, letter in enumerate(text):
        depth += (letter == "{") - (letter == "}")
        if depth == 0:
            return text[:k], text[k + 1 :]
    raise AssertionError(f"a brace is never closed in {text[:40]!r}")
