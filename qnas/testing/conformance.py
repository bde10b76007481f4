"""What all conformance suites share: which part is tested, in which cases, and how a failure reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

import pytest

from qnas.errors import DesignError, QnasError

Options = Mapping[str, Any]


class Conformance:
    """A suite: a class of tests that the tests of a part inherit and fill in by its attributes.

    A test runs with every combination of the values of those attributes that it takes as arguments.

    Attributes:
        kind: what messages call the part.
        arguments: which attributes hold the values of arguments.
        name: under which the part is registered or advertised.
        options: the options that it is tested with.
    """

    kind: ClassVar[str]
    arguments: ClassVar[tuple[str, ...]] = ("options",)
    name: str
    options: Sequence[Options] = ({},)

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Called by pytest for each test of a class."""
        if not hasattr(self, "name"):
            pytest.fail(f"{type(self).__name__} does not say what it tests; set name = '...', that of the {self.kind}.")
        for argument in self.arguments:
            if argument in metafunc.fixturenames:
                values = list(getattr(self, argument))
                metafunc.parametrize(argument, values, ids=[label(argument, value) for value in values])

    def about(self, options: Options, where: str = "") -> str:
        """The part and the case, as messages name them."""
        given = f" with {label('options', options)}" if options else ""
        return f"the {self.kind} {self.name!r}{given}{where and f' {where}'}"

    def part(self, options: Options) -> str | dict[str, Any]:
        """The part as an architecture names it."""
        return {"name": self.name, **options} if options else self.name


class OnQubits(Conformance):
    """A suite whose part is built for some number of qubits.

    Attributes:
        n_qubits: on how many qubits the part is tested. Where it raises a DesignError, it is not; the error's sentence
            is the reason that pytest shows.
    """

    arguments: ClassVar[tuple[str, ...]] = ("options", "n_qubits")
    n_qubits: Sequence[int] = range(1, 7)

    def build(self, options: Options, n_qubits: int) -> Any:
        """The part on so many qubits, newly made."""
        raise NotImplementedError

    def built(self, options: Options, n_qubits: int) -> Any:
        """The same; the test is skipped if the part refuses the case."""
        with refusal_skips():
            return self.build(options, n_qubits)

    def size(self, options: Options) -> int:
        """The number of qubits in the middle of those on which the part can be built.

        Raises:
            AssertionError: there is none.
        """
        found, refusals = [], []
        for n_qubits in self.n_qubits:
            try:
                self.build(options, n_qubits)
                found.append(n_qubits)
            except DesignError as error:
                refusals.append(str(error))
        assert found, (
            f"{self.about(options)} is built on none of {list(self.n_qubits)} qubits ({'; '.join(refusals)}); set "
            "n_qubits of the suite to what it takes."
        )
        return found[len(found) // 2]

    def on(self, options: Options, n_qubits: int) -> str:
        """The part and the case, as messages name them."""
        return self.about(options, f"on {n_qubits} qubit{'s' * (n_qubits > 1)}")


def label(argument: str, value: Any) -> str:
    """A value as the name of a test shows it."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={one!r}" for key, one in value.items()) or "no options"
    return f"{argument}={value!r}"


@contextmanager
def refusal_skips() -> Iterator[None]:
    """A part may refuse a size, as long as it says why."""
    try:
        yield
    except DesignError as error:
        pytest.skip(str(error))


@contextmanager
def explained(about: str, advice: str) -> Iterator[None]:
    """An error of qnas is a failure of the part."""
    try:
        yield
    except QnasError as error:
        raise AssertionError(f"{about}: {str(error).rstrip('.')}. {advice}") from error
