"""Suites of all bundled parts of a kind, so that a new one is tested as soon as it is registered."""

from qnas.testing.conformance import OnQubits


def suites(base, registry, options=None, attributes=None):
    """A test class for each bundled part.

    Args:
        base: the suite.
        registry: of its parts.
        options: what parts are tested with, by name; those that are not listed, without options.
        attributes: other attributes, by name of the part.
    """
    names = [name for name in registry if home(registry[name]).startswith("qnas.")]
    unknown = {*(options or {}), *(attributes or {})} - set(names)
    assert not unknown, f"there are no such parts: {unknown}"
    return {
        f"Test_{name}": suite(base, name, (options or {}).get(name), (attributes or {}).get(name)) for name in names
    }


def suite(base, name, options, attributes):
    given = {"options": options} if options else {}
    sizes = {"n_qubits": (1, 3)} if issubclass(base, OnQubits) else {}
    return type(f"Test_{name}", (base,), {"name": name, **sizes, **given, **(attributes or {})})


def home(part):
    """The module of what carries the decorator."""
    return getattr(part, "build", getattr(part, "measure", part)).__module__
