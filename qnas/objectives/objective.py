"""What an objective is: a name, a direction, a unit, a cost class, and a function of a design."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from qnas.errors import ConfigurationError, PluginError, unknown
from qnas.objectives.design import Design
from qnas.objectives.options import check_option, option_types
from qnas.plugins import Registry, load_module

DIRECTIONS = ("minimize", "maximize")
CIRCUIT, TRAINED = "circuit", "trained"
COSTS = (CIRCUIT, "states", TRAINED)
SCALES = ("linear", "log")


@dataclass(frozen=True)
class Estimate:
    """A value (a count may be an int), its standard error where it is an estimate, and what else to keep (JSON)."""

    value: float | int
    standard_error: float | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


Measure = Callable[..., float | int | Estimate]


@dataclass(frozen=True)
class Objective:
    """One axis of the front.

    Attributes:
        name: the column it fills.
        direction: "minimize" or "maximize".
        unit: of its values.
        cost: "circuit" (needs only the circuit), "states" (simulates it), "trained" (needs the trained model).
        measure: from a `Design` to a float or an `Estimate`.
        reference: where its definition comes from.
        scale: "linear" or "log": how plots and the hypervolume see positive values; dominance is the same.
        least: the smallest allowed value of options that are numbers.
        built: options that a function makes of options of its own, its keyword-only parameters, by their names.
    """

    name: str
    direction: str
    unit: str
    cost: str
    measure: Measure
    reference: str = ""
    scale: str = "linear"
    least: Mapping[str, int | float] = field(default_factory=dict)
    built: Mapping[str, Callable[..., Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for kind, value, allowed in (
            ("direction", self.direction, DIRECTIONS),
            ("cost", self.cost, COSTS),
            ("scale", self.scale, SCALES),
        ):
            if value not in allowed:
                raise PluginError(unknown(f"{kind} of the objective {self.name!r},", value, allowed))
        for place, given, options in (
            ("built", self.built, option_types(self.measure)),
            ("least", self.least, self.options),
        ):
            for option in (option for option in given if option not in options):
                raise PluginError(unknown(f"option in `{place}` of the objective {self.name!r},", option, options))

    def __call__(self, design: Design) -> Estimate:
        """Measure a design."""
        found = self.measure(design)
        return found if isinstance(found, Estimate) else Estimate(found)

    @property
    def options(self) -> dict[str, Any]:
        """The type of each option by its name, `Any` where the function does not say."""
        own = {name: kind for name, kind in option_types(self.measure).items() if name not in self.built}
        return own | {name: kind for build in self.built.values() for name, kind in option_types(build).items()}

    @property
    def sign(self) -> float:
        """The factor that turns values into losses, which are minimised."""
        return 1.0 if self.direction == "minimize" else -1.0


objectives: Registry[Objective] = Registry("objective", "qnas.objectives", Objective)


def objective(
    direction: str | Measure | None = None,
    unit: str | None = None,
    *,
    cost: str = CIRCUIT,
    name: str | None = None,
    reference: str = "",
    scale: str = "linear",
    least: Mapping[str, int | float] | None = None,
    built: Mapping[str, Callable[..., Any]] | None = None,
) -> Callable[[Measure], Measure]:
    """Register a function `(design, *, options) -> float | Estimate` as an objective; see `Objective`.

    The name is the function's unless given. Keyword-only parameters are options, set by `objectives.options.<name>` and
    checked before a run by their annotations (int, float, str, bool, or None beside these) and by `least`.

    Raises:
        PluginError: it has no direction or unit, or a word that is not allowed.
    """
    if callable(direction):  # a decorator without parentheses
        raise _incomplete(str(getattr(direction, "__name__", "")), "direction")

    def register(measure: Measure) -> Measure:
        own = name or str(getattr(measure, "__name__", ""))
        if direction is None or unit is None:
            raise _incomplete(own, "direction" if direction is None else "unit")
        made = Objective(own, direction, unit, cost, measure, reference, scale, least or {}, built or {})
        objectives.add(own, made)
        return measure

    return register


def _incomplete(name: str, what: str) -> PluginError:
    return PluginError(
        f'the objective {name!r} has no {what}; write @qnas.objective("minimize", "gates"), or "maximize" and the '
        "unit of its values."
    )


def choose_objectives(
    names: Iterable[str], add: Iterable[str] = (), options: Mapping[str, Mapping[str, Any]] | None = None
) -> tuple[Objective, ...]:
    """The objectives of a run, in order: `names`, then all that the Python files in `add` register.

    Raises:
        PluginError: a name or a file is not known, or a file registers nothing.
        ConfigurationError: no objective, one named twice, an option that its function does not take, or a value that
            the option does not allow.
    """
    chosen = [*names, *(name for path in add for name in _registered_by(path))]
    if not chosen or len(set(chosen)) < len(chosen):
        raise ConfigurationError(f"objectives.names is {chosen}; name at least one, and each once.")
    options = options or {}
    for name in options:
        if name not in chosen:
            raise ConfigurationError(unknown("key of objectives.options,", name, chosen))
    return tuple(_with_options(objectives[name], options.get(name, {})) for name in chosen)


def _registered_by(path: str) -> list[str]:
    module = load_module(path)
    names = [name for name in objectives if getattr(objectives[name].measure, "__module__", "") == module.__name__]
    if not names:
        raise PluginError(f"{path!r} registers no objective; decorate a function with @qnas.objective(...).")
    return names


def _with_options(chosen: Objective, options: Mapping[str, Any]) -> Objective:
    if not options:
        return chosen
    place = f"objectives.options.{chosen.name}"
    types = chosen.options
    for key, value in options.items():
        if key not in types:
            raise ConfigurationError(unknown(f"key of {place},", key, types))
        check_option(f"{place}.{key}", value, types[key], chosen.least.get(key))
    return replace(chosen, measure=partial(chosen.measure, **_built(chosen, options)))


def _built(chosen: Objective, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that the measure itself takes. Raises ConfigurationError if some cannot be together."""
    made, left = {}, dict(options)
    for name, build in chosen.built.items():
        made[name] = build(**{key: left.pop(key) for key in option_types(build) if key in left})
    return left | made
