"""Small runs for tests: overrides, and what can be compared between two runs."""

import csv
import json
from pathlib import Path
from wsgiref.util import setup_testing_defaults

HERE = Path(__file__).parent
SPACE = HERE / "small_space.py"
PARTS_SPACE = HERE / "parts_space.py"
MISHAPS = HERE / "mishaps.py"

JOB = (
    "data=iris",
    "search.population=6",
    "search.generations=2",
    "training.epochs=2",
    "objectives.options.expressibility.n_pairs=200",
    "objectives.options.trainability.n_starts=8",
)
SMALL = (
    f"space={SPACE}",
    "data=iris",
    "search.population=6",
    "search.generations=2",
    "training.epochs=1",
    "objectives.names=[accuracy,expressibility,flops]",
    "objectives.options.expressibility.n_pairs=100",
    "executor=serial",
)
QUICKEST = (*SMALL[:5], "objectives.names=[flops]", "executor=serial")


def with_mishaps(kind, *more):
    """Overrides of a run in which the objective of `mishaps.py` strikes."""
    return (*QUICKEST, f"objectives.add=[{MISHAPS}]", f"objectives.options.mishap.kind={kind}", *more)


def front_without_seconds(run_dir):
    """The cells of front.csv as text, but for the wall-clock."""
    with (Path(run_dir) / "front.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    dropped = rows[0].index("seconds")
    return [row[:dropped] + row[dropped + 1 :] for row in rows]


def records_without_seconds(run_dir):
    """front.json, but for the wall-clock."""
    return [{**record, "seconds": None} for record in json.loads((Path(run_dir) / "front.json").read_text())]


def contents(run_dir):
    """Every file of a run by its path, in bytes."""
    return {path.relative_to(run_dir): path.read_bytes() for path in Path(run_dir).rglob("*") if path.is_file()}


def n_evaluated(run_dir):
    """How many evaluations the ledger holds by now."""
    ledger = Path(run_dir) / "ledger.jsonl"
    return ledger.read_bytes().count(b'"fingerprint"') if ledger.is_file() else 0


def within(tmp_path, **budgets):
    """The small space within budgets, as a file."""
    from qnas.space import load_space  # not above: jaxtyping checks what is imported after the plug-ins of pytest

    file = tmp_path / "bounded.json"
    file.write_text(load_space(str(SPACE)).within(**budgets).to_json())
    return f"space={file}"


def in_dashboard(place):
    """The names of the studies that `optuna-dashboard` shows when it is given a storage, and the trials of each."""
    from optuna.storages import RDBStorage
    from optuna_dashboard import wsgi
    from optuna_dashboard._storage_url import get_storage

    storage = get_storage(place)
    app = wsgi(storage)
    studies = _answer(app, "/api/studies")["study_summaries"]
    shown = {one["study_name"]: _answer(app, f"/api/studies/{one['study_id']}")["trials"] for one in studies}
    if isinstance(storage, RDBStorage):
        storage.remove_session()
        storage.engine.dispose()
    return shown


def _answer(app, path):
    environment, said = {}, []
    setup_testing_defaults(environment)
    body = b"".join(app({**environment, "PATH_INFO": path}, lambda status, *_: said.append(status)))
    assert said == ["200 OK"], body
    return json.loads(body)
