"""Objectives: the decorator, options, files of the user, and the bundled ones."""

import pytest

import qnas
from qnas.errors import ConfigurationError, PluginError
from qnas.objectives import Estimate, choose_objectives, flops, objective, objectives
from qnas.objectives.expressibility import Sampling, design_expressibility
from qnas.testing.designs import architecture, design

PLUGIN = '''
import qnas

@qnas.objective(direction="minimize", unit="gates", cost="circuit")
def {name}(design, *, weight=1.0) -> float:
    """Two-qubit gates."""
    return weight * design.circuit.num_nonlocal_gates()
'''


@pytest.fixture(autouse=True)
def own_registry(monkeypatch):
    """What a test registers is gone after it."""
    monkeypatch.setattr(objectives, "_parts", dict(objectives._parts))


@pytest.fixture
def plugin(tmp_path):
    def write(name, text=PLUGIN):
        path = tmp_path / f"{name}.py"
        path.write_text(text.format(name=name))
        return str(path)

    return write


@pytest.mark.parametrize(
    ("name", "row"),
    {
        "accuracy": ("maximize", "fraction", "trained", "linear"),
        "expressibility": ("minimize", "nats", "states", "log"),
        "trainability": ("maximize", "log10", "states", "linear"),
        "flops": ("minimize", "FLOPs", "circuit", "log"),
        "parameters": ("minimize", "weights", "circuit", "linear"),
        "qubits": ("minimize", "qubits", "circuit", "linear"),
        "depth": ("minimize", "gates", "circuit", "linear"),
        "lie_algebra_dim": ("maximize", "dimensions", "circuit", "log"),
        "gradient_efficiency": ("maximize", "weights per setting", "states", "linear"),
        "entangling_capability": ("maximize", "Q", "states", "linear"),
        "frame_potential": ("minimize", "fidelity^t", "states", "log"),
        "memory": ("minimize", "bytes", "circuit", "log"),
        "n_two_qubit_gates": ("minimize", "gates", "circuit", "linear"),
        "two_qubit_depth": ("minimize", "gates", "circuit", "linear"),
        "duration": ("minimize", "s", "circuit", "linear"),
        "success_probability": ("maximize", "probability", "circuit", "linear"),
        "noisy_accuracy": ("maximize", "fraction", "trained", "linear"),
        "gradient_circuits": ("minimize", "circuits", "circuit", "log"),
        "predicted_latency": ("minimize", "s", "circuit", "log"),
    }.items(),
)
def test_the_bundled_objectives(name, row):
    found = objectives[name]
    assert (found.name, found.direction, found.unit, found.cost, found.scale) == (name, *row)


@pytest.mark.parametrize("name", ["accuracy", "expressibility", "trainability", "flops"])
def test_the_four_axes_name_their_source(name):
    assert objectives[name].reference


def test_the_decorator_registers_and_leaves_the_function_alone():
    @objective("maximize", "apples", cost="states", reference="Eve", scale="log")
    def harvest(design):
        return 2.5

    found = objectives["harvest"]
    assert found.measure is harvest
    assert (found.direction, found.unit, found.cost) == ("maximize", "apples", "states")
    assert (found.reference, found.scale) == ("Eve", "log")
    assert harvest(None) == 2.5


def test_the_name_may_be_another_than_the_functions():
    @qnas.objective("minimize", "m", name="length")
    def measure_length(design):
        return 1.0

    assert "length" in objectives
    assert "measure_length" not in objectives
    assert objectives["length"].cost == "circuit"


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (
            dict(direction="maximise"),
            "unknown direction of the objective 'mine', 'maximise': did you mean 'maximize'? "
            "Allowed: minimize, maximize.",
        ),
        (
            dict(cost="train"),
            "unknown cost of the objective 'mine', 'train': did you mean 'trained'? Allowed: circuit, states, trained.",
        ),
        (dict(scale="cubic"), "unknown scale of the objective 'mine', 'cubic': Allowed: linear, log."),
    ],
)
def test_impossible_words_are_refused_and_nothing_is_registered(given, text):
    with pytest.raises(PluginError) as refusal:
        objective(**(dict(direction="minimize", unit="m", name="mine") | given))(lambda design: 0.0)
    assert str(refusal.value) == text
    assert "mine" not in objectives


@pytest.mark.parametrize(
    ("given", "missing"), [({}, "direction"), ({"unit": "gates"}, "direction"), ({"direction": "minimize"}, "unit")]
)
def test_an_objective_without_direction_or_unit_is_a_sentence(given, missing):
    with pytest.raises(PluginError) as refusal:

        @qnas.objective(**given)
        def aimless(design):
            return 0.0

    sentence = 'write @qnas.objective("minimize", "gates"), or "maximize" and the unit of its values.'
    assert str(refusal.value) == f"the objective 'aimless' has no {missing}; {sentence}"
    assert "aimless" not in objectives


def test_a_decorator_without_parentheses_is_the_same_sentence():
    with pytest.raises(PluginError, match="the objective 'bare' has no direction; write"):

        @qnas.objective
        def bare(design):
            return 0.0


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"max_error": 0.0}, "max_error is 0.0; a standard error is above 0"),
        ({"max_error": float("nan")}, "max_error is nan; a standard error is above 0"),
        ({"max_error": 0.01, "n_pairs": 50}, "n_pairs is 50, from which the standard error is judged first"),
        ({"max_error": 0.01, "max_pairs": 4000}, "n_pairs is 5000, .* from 100 to max_pairs, which is 4000"),
    ],
)
def test_options_that_cannot_be_together_are_refused_before_a_run(options, sentence):
    with pytest.raises(ConfigurationError, match=f"objectives.options.expressibility: {sentence}"):
        choose_objectives(["expressibility"], options={"expressibility": options})


def test_a_function_without_a_usable_name_needs_one():
    with pytest.raises(PluginError, match=r"'<lambda>' cannot name objective: use letters, digits and underscores\."):
        objective("minimize", "m")(lambda design: 0.0)


@pytest.mark.parametrize(
    ("returned", "expected"),
    [
        (2.5, Estimate(2.5)),
        (3, Estimate(3)),
        (Estimate(1.0, 0.1, {"floor": 0.2}), Estimate(1.0, 0.1, {"floor": 0.2})),
    ],
)
def test_a_number_is_an_estimate_without_error(returned, expected):
    objective("minimize", "m", name="mine")(lambda design: returned)
    found = objectives["mine"](design())
    assert found == expected
    assert type(found.value) is type(expected.value)


def test_signs_turn_values_into_losses():
    assert {name: objectives[name].sign for name in ("accuracy", "trainability", "expressibility", "flops")} == {
        "accuracy": -1.0,
        "trainability": -1.0,
        "expressibility": 1.0,
        "flops": 1.0,
    }


def test_objectives_are_chosen_in_the_order_given():
    chosen = choose_objectives(["flops", "accuracy", "depth"])
    assert [one.name for one in chosen] == ["flops", "accuracy", "depth"]
    assert chosen[0](design()).value == flops(architecture(), 3, 2).total


def test_a_smallest_value_of_what_is_no_option_is_refused():
    with pytest.raises(PluginError) as refusal:
        objective("minimize", "m", name="mine", least={"weigth": 1})(lambda design, *, weight=1: 0.0)
    assert str(refusal.value) == (
        "unknown option in `least` of the objective 'mine', 'weigth': did you mean 'weight'? Allowed: weight."
    )
    assert "mine" not in objectives


def test_what_is_built_must_be_an_option():
    with pytest.raises(PluginError) as refusal:
        objective("minimize", "m", name="mine", built={"spam": pair})(lambda design, *, span=(0, 1): 0.0)
    assert str(refusal.value) == (
        "unknown option in `built` of the objective 'mine', 'spam': did you mean 'span'? Allowed: span."
    )


@pytest.mark.parametrize("names", [[], ["flops", "flops"]])
def test_there_is_one_at_least_and_each_once(names):
    with pytest.raises(ConfigurationError) as refusal:
        choose_objectives(names)
    assert str(refusal.value) == f"objectives.names is {names}; name at least one, and each once."


def test_an_unknown_name_is_answered_with_the_nearest(monkeypatch):
    bundled = {name: objectives[name] for name in objectives if objectives[name].measure.__module__.startswith("qnas.")}
    monkeypatch.setattr(objectives, "_parts", bundled)  # other tests may have registered their own
    with pytest.raises(PluginError) as refusal:
        choose_objectives(["expresibility"])
    assert str(refusal.value) == (
        f"unknown objective 'expresibility': did you mean 'expressibility'? Allowed: {', '.join(sorted(bundled))}. "
        "A part of your own needs its decorator, or an entry point in the group 'qnas.objectives'."
    )


def test_options_reach_the_function_and_the_bundled_objective_keeps_its_own():
    (chosen,) = choose_objectives(["expressibility"], options={"expressibility": {"n_pairs": 50, "n_bins": 10}})
    assert chosen(design()) == design_expressibility(design(), sampling=Sampling(n_pairs=50, n_bins=10))
    assert (chosen.name, chosen.cost) == ("expressibility", "states")
    assert objectives["expressibility"].measure is design_expressibility


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (
            {"expressibility": {"n_pair": 50}},
            "unknown key of objectives.options.expressibility, 'n_pair': did you mean 'n_pairs'? "
            "Allowed: n_pairs, n_bins, max_error, max_pairs.",
        ),
        ({"expressibility": {"design": 1}}, "unknown key of objectives.options.expressibility, 'design': "),
        ({"flops": {"fast": True}}, "unknown key of objectives.options.flops, 'fast': Allowed: none."),
        (
            {"flop": {}},
            "unknown key of objectives.options, 'flop': did you mean 'flops'? Allowed: expressibility, flops.",
        ),
    ],
)
def test_options_are_checked_by_the_signature(options, text):
    with pytest.raises(ConfigurationError) as refusal:
        choose_objectives(["expressibility", "flops"], options=options)
    assert str(refusal.value).startswith(text)


@pytest.mark.parametrize(
    ("name", "key", "value", "allowed"),
    [
        ("expressibility", "n_pairs", 0, "a whole number of at least 2"),
        ("expressibility", "n_pairs", 2.5, "a whole number of at least 2"),
        ("expressibility", "n_bins", True, "a whole number of at least 2"),
        ("expressibility", "n_bins", "many", "a whole number of at least 2"),
        ("entangling_capability", "n_samples", 1, "a whole number of at least 2"),
        ("frame_potential", "t", 0, "a whole number of at least 1"),
        ("frame_potential", "n_pairs", 1, "a whole number of at least 2"),
        ("trainability", "n_starts", 1, "a whole number of at least 2"),
        ("trainability", "batch_size", 0, "a whole number of at least 1"),
        ("trainability", "batch_size", None, "a whole number of at least 1"),
    ],
)
def test_values_of_options_are_checked_before_a_run(name, key, value, allowed):
    with pytest.raises(ConfigurationError) as refusal:
        choose_objectives([name], options={name: {key: value}})
    assert str(refusal.value) == f"objectives.options.{name}.{key} is {value!r}; allowed is {allowed}."


def pair(*, low: int = 1, high: int = 2):
    if low > high:
        raise ConfigurationError(f"low is {low} and high is {high}.")
    return low, high


def spanned():
    @objective("minimize", "m", least={"low": 0}, built={"span": pair})
    def width(design, *, span=(1, 2), factor: float = 1.0):
        return factor * (span[1] - span[0])

    return objectives["width"]


def test_an_option_may_be_built_of_others():
    assert spanned().options == {"factor": float, "low": int, "high": int}
    (chosen,) = choose_objectives(["width"], options={"width": {"high": 5, "factor": 2.0}})
    assert chosen.measure(None) == 2 * (5 - 1)
    assert objectives["width"].measure(None) == 1
    (plain,) = choose_objectives(["width"], options={"width": {"factor": 3.0}})
    assert plain.measure(None) == 3


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"low": 3}, r"low is 3 and high is 2\."),
        ({"low": -1}, r"objectives\.options\.width\.low is -1; allowed is a whole number of at least 0"),
        ({"span": [1, 2]}, r"unknown key of objectives\.options\.width, 'span': .*Allowed: factor, low, high"),
    ],
)
def test_what_cannot_be_built_is_refused_before_a_run(options, text):
    spanned()
    with pytest.raises(ConfigurationError, match=text):
        choose_objectives(["width"], options={"width": options})


def test_options_of_a_user_are_checked_by_the_annotations_of_the_function(plugin):
    path = plugin("n_annotated", "from __future__ import annotations\n" + PLUGIN.replace("=1.0", ": float = 1.0"))
    choose_objectives([], add=[path], options={"n_annotated": {"weight": 2}})
    with pytest.raises(
        ConfigurationError, match=r"objectives\.options\.n_annotated\.weight is 'a'; allowed is a number"
    ):
        choose_objectives([], add=[path], options={"n_annotated": {"weight": "a"}})


def test_a_file_adds_its_objectives(plugin):
    chosen = choose_objectives(["flops"], add=[plugin("n_entanglers"), plugin("n_more")])
    assert [one.name for one in chosen] == ["flops", "n_entanglers", "n_more"]
    assert chosen[1](design()) == Estimate(3.0)


def test_options_of_an_added_objective(plugin):
    path = plugin("n_weighted")
    (chosen,) = choose_objectives([], add=[path], options={"n_weighted": {"weight": 0.5}})
    assert chosen(design()) == Estimate(1.5)
    with pytest.raises(ConfigurationError, match=r"objectives\.options\.n_weighted, 'wait': .*Allowed: weight\."):
        choose_objectives([], add=[path], options={"n_weighted": {"wait": 2}})


def test_a_file_may_be_chosen_again_by_a_later_evaluation(plugin):
    path = plugin("n_again")
    first, second = (choose_objectives(["flops"], add=[path]) for _ in range(2))
    assert [one.name for one in first] == [one.name for one in second] == ["flops", "n_again"]


def test_one_file_may_register_several(plugin):
    path = plugin("n_first", PLUGIN + PLUGIN.replace("def {name}", "def {name}_b"))
    assert [one.name for one in choose_objectives([], add=[path])] == ["n_first", "n_first_b"]


def test_a_file_that_registers_nothing_is_refused(plugin):
    path = plugin("nothing", "def n_gates(design):\n    return 1.0\n")
    with pytest.raises(PluginError) as refusal:
        choose_objectives(["flops"], add=[path])
    assert str(refusal.value) == f"{path!r} registers no objective; decorate a function with @qnas.objective(...)."


def test_a_file_that_is_not_there_is_refused(tmp_path):
    path = str(tmp_path / "absent.py")
    with pytest.raises(PluginError) as refusal:
        choose_objectives(["flops"], add=[path])
    assert str(refusal.value) == f"there is no file {path!r}; give the path of a Python file."


def test_a_file_with_an_impossible_direction_says_so(plugin):
    path = plugin("n_upwards", PLUGIN.replace('"minimize"', '"upwards"'))
    with pytest.raises(
        PluginError, match="cannot be imported: PluginError: unknown direction of the objective 'n_upwards'"
    ):
        choose_objectives(["flops"], add=[path])
