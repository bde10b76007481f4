"""A ledger in a database: the same evaluations and the same front as in a journal, and a sentence for what is amiss."""

import shutil
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import optuna
import pytest

import qnas
from qnas.cli import main
from qnas.errors import ConfigurationError, RunError, RunFolderError
from qnas.experiment import executor as executor_room
from qnas.experiment.database import Database, checked_url, place_of, shown, without_password
from qnas.experiment.folder import RunFolder
from qnas.experiment.ledger import VERSION, Ledger
from qnas.experiment.loop import run_search
from qnas.experiment.results import read_findings
from qnas.experiment.store import quiet
from qnas.launch import compose
from tests.experiment.runs import QUICKEST, SMALL, front_without_seconds, in_dashboard, records_without_seconds
from tests.experiment.test_ledger import COMPLETE, FAILED, objectives, space
from tests.postgresql import PASSWORD


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    """An empty database, as a user names it."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/ledgers.db"
    return request.getfixturevalue("postgresql").new_database()


@pytest.fixture
def opened(url, tmp_path):
    """Opens the ledger of one study for writing, or to be read; all are closed in the end."""
    ledgers = []

    def open_(*, study="a", read_only=False):
        ledgers.append(Ledger(Database(checked_url(url), study, tmp_path), objectives, space, read_only=read_only))
        return ledgers[-1]

    yield open_
    for ledger in ledgers:
        ledger.close()


def study_of(run_dir):
    return RunFolder(Path(run_dir)).study()


def with_plain_optuna(url, name):
    with quiet():
        return optuna.load_study(study_name=name, storage=optuna.storages.RDBStorage(checked_url(url)))


def closed(study):
    study._storage._backend.remove_session()
    study._storage._backend.engine.dispose()


# --- the ledger -----------------------------------------------------------------------------------------------


def test_evaluations_come_back_as_they_were(opened):
    ledger = opened()
    for design_id, evaluation in ((0, COMPLETE), (1, FAILED), (0, replace(COMPLETE, reused="runs/a"))):
        ledger.append(design_id, evaluation)
    found = [(0, replace(COMPLETE, reused="runs/a")), (1, FAILED)]
    assert list(ledger.evaluations()) == list(opened(read_only=True).evaluations()) == found
    assert [one for _, one in opened().entries()] == [COMPLETE, FAILED, replace(COMPLETE, reused="runs/a")]


def test_studies_of_one_database_are_apart(opened):
    opened(study="a").append(0, COMPLETE)
    opened(study="b").append(0, FAILED)
    opened(study="a").append(1, FAILED)
    assert list(opened(study="a", read_only=True).evaluations()) == [(0, COMPLETE), (1, FAILED)]
    assert list(opened(study="b", read_only=True).evaluations()) == [(0, FAILED)]
    assert list(opened(study="c", read_only=True).evaluations()) == []


def test_only_the_first_designs_are_kept(opened):
    ledger = opened()
    for design_id, evaluation in ((0, COMPLETE), (1, FAILED)):
        ledger.append(design_id, evaluation)
    ledger.keep_first(1)
    assert list(opened(read_only=True).evaluations()) == [(0, COMPLETE)]


def test_plain_optuna_opens_it(opened, url):
    opened().append(0, COMPLETE)
    study = with_plain_optuna(url, "a")
    assert study.metric_names == ["accuracy", "expressibility", "flops"]
    assert study.get_trials()[0].values == [0.1 + 0.2, 1e-300, 12_345]
    closed(study)


def test_the_dashboard_opens_it(opened, url):
    opened().append(0, COMPLETE)
    opened().append(1, FAILED)
    shown = in_dashboard(checked_url(url))
    assert list(shown) == ["a"] and [trial["state"] for trial in shown["a"]] == ["Complete", "Fail"]


def test_a_study_that_somebody_deletes_meanwhile_is_a_sentence(opened, url):
    ledger = opened()
    study = with_plain_optuna(url, "a")
    optuna.delete_study(study_name="a", storage=study._storage)
    closed(study)
    with pytest.raises(RunError, match=r"^somebody has deleted the study 'a' from the ledger '.*'; `qnas resume` "):
        ledger.append(0, COMPLETE)


def test_a_ledger_of_a_later_version_is_refused(opened, url):
    opened()
    study = with_plain_optuna(url, "a")
    study.set_user_attr("version", VERSION + 1)
    closed(study)
    with pytest.raises(RunFolderError, match=rf"the ledger '.*' is of version {VERSION + 1}, which a later qnas wrote"):
        opened()


# --- runs -----------------------------------------------------------------------------------------------------


def test_the_front_is_that_of_a_run_with_a_journal(finished, url, tmp_path):
    result = qnas.search([*SMALL, f"ledger={url}", f"run_dir={tmp_path}/run"])
    assert front_without_seconds(result.path) == front_without_seconds(finished.path)
    assert records_without_seconds(result.path) == records_without_seconds(finished.path)
    assert not (result.path / "ledger.jsonl").exists()
    assert len(qnas.Result(result.path).evaluations) == 12


@pytest.mark.slow
def test_a_run_that_was_interrupted_goes_on_from_its_database(finished, url, tmp_path, monkeypatch):
    overrides = [*SMALL, f"ledger={url}", f"run_dir={tmp_path}/run"]
    evaluated, left = executor_room.evaluate, iter(range(5))

    def evaluate(task):
        if next(left, None) is None:
            raise KeyboardInterrupt
        return evaluated(task)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(executor_room, "evaluate", evaluate)
        qnas.search(overrides)
    assert len(read_findings(tmp_path / "run").evaluations) == 5
    (tmp_path / "run").rename(tmp_path / "moved")
    assert main(["resume", str(tmp_path / "moved")]) == 0
    assert front_without_seconds(tmp_path / "moved") == front_without_seconds(finished.path)


def test_runs_with_equal_names_share_a_database(url, tmp_path):
    overrides = [*QUICKEST, "search.generations=1", f"ledger={url}"]
    folders = [tmp_path / name / "run" for name in ("one", "other")]
    for seed, folder in enumerate(folders):
        qnas.search([*overrides, f"seed={seed}", f"run_dir={folder}"])
    assert study_of(folders[0]) != study_of(folders[1])
    assert [{one.seed for one in read_findings(folder).evaluations.values()} for folder in folders] == [{0}, {1}]


def test_a_study_of_another_configuration_is_refused(url, tmp_path):
    """A run folder that was copied, and its configuration edited."""
    qnas.search([*QUICKEST, "search.generations=1", f"ledger={url}", f"run_dir={tmp_path}/run"])
    other = shutil.copytree(tmp_path / "run", tmp_path / "other")
    config = other / "config.yaml"
    config.write_text(config.read_text().replace("seed: 0\nspace", "seed: 7\nspace"))
    with pytest.raises(RunFolderError, match=r"is of a run with another configuration \(seed is 0 there and 7 here\)"):
        run_search(RunFolder(other).read_config())


def test_a_run_keeps_its_ledger_where_it_is(url, tmp_path):
    overrides = [*QUICKEST, "search.generations=1", f"run_dir={tmp_path}/run"]
    qnas.search([*overrides, f"ledger={url}"])
    with pytest.raises(RunFolderError, match=r"ledger.url is '.*' there and None here"):
        qnas.search(overrides)
    with pytest.raises(RunFolderError, match=r"ledger.url is '.*' there and 'sqlite:///.*/second.db' here"):
        qnas.search([*overrides, f"ledger=sqlite:///{tmp_path}/second.db"])


def test_a_run_that_has_lost_the_name_of_its_study_says_so(tmp_path, capsys):
    RunFolder.claim(compose([*QUICKEST, f"ledger=sqlite:///{tmp_path}/l.db", f"run_dir={tmp_path}/run"]))
    (tmp_path / "run" / "ledger.json").unlink()
    assert main(["front", f"{tmp_path}/run"]) == 2
    assert "ledger.json', which names the ledger of the run in its database, is not" in capsys.readouterr().err


# --- passwords ------------------------------------------------------------------------------------------------


def test_the_password_is_in_one_file_that_nobody_else_may_read(postgresql, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    url = postgresql.new_database()
    overrides = [*QUICKEST, "search.generations=1", f"ledger={url}", f"run_dir={tmp_path}/run"]
    assert main(["search", "-m", *overrides]) == 0
    assert main(["search", "--cfg", "job", *overrides]) == 0
    said = capsys.readouterr()
    secret = PASSWORD.rpartition("/")[0]
    assert secret in url and secret not in said.out + said.err and "admin:***@127.0.0.1" in said.out
    kept = [path for path in tmp_path.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]
    assert kept == [tmp_path / "run" / "0" / "ledger.url"]
    assert stat.S_IMODE(kept[0].stat().st_mode) == 0o600
    assert "url: postgresql+psycopg://admin:***@127.0.0.1" in (tmp_path / "run" / "0" / "config.yaml").read_text()


def test_without_that_file_the_password_is_what_postgresql_finds(postgresql, tmp_path, capsys, monkeypatch):
    result = qnas.search(
        [*QUICKEST, "search.generations=1", f"ledger={postgresql.new_database()}", f"run_dir={tmp_path}/run"]
    )
    (result.path / "ledger.url").unlink()
    assert main(["front", str(result.path)]) == 2
    assert "cannot be opened: " in capsys.readouterr().err
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    assert main(["front", str(result.path)]) == 0
    assert len(qnas.Result(result.path).evaluations) == 6


# --- what is amiss --------------------------------------------------------------------------------------------


def refusal(ledger, tmp_path):
    """The sentence for a ledger that cannot be; nothing is written."""
    with pytest.raises(ConfigurationError) as error:
        qnas.search([*QUICKEST, f"ledger={ledger}", f"run_dir={tmp_path}/run"])
    assert not (tmp_path / "run").exists()
    sentence = str(error.value)
    assert "\n" not in sentence and sentence.endswith(".") and PASSWORD.rpartition("/")[0] not in sentence
    return sentence


def test_no_server_is_one_sentence(tmp_path):
    sentence = refusal("postgresql://me:hush@127.0.0.1:1/db", tmp_path)
    assert sentence.startswith("the ledger 'postgresql+psycopg://me:***@127.0.0.1:1/db' cannot be opened: ")
    assert "Connection refused" in sentence and "check that it is up, and the user, password, host" in sentence


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path):
    sentence = refusal(f"sqlite:///{tmp_path}/no/such.db", tmp_path)
    assert sentence.endswith("unable to open database file; see that its folder is there and may be written to.")


def test_a_wrong_password_is_one_sentence(postgresql, tmp_path):
    sentence = refusal(postgresql.url(password="wrong"), tmp_path)
    assert 'password authentication failed for user "admin"' in sentence and "check that it is up" in sentence


def test_a_database_that_is_not_there_is_one_sentence(postgresql, tmp_path):
    assert 'database "nosuch" does not exist' in refusal(postgresql.url("nosuch"), tmp_path)


def as_user(postgresql, name, *rights):
    """The URL of a new database for a user who may connect, and has these rights."""
    database = postgresql.new_database().rpartition("/")[2]
    url = postgresql.url(database, name, "hush")
    statements = [f"CREATE ROLE {name} LOGIN PASSWORD 'hush'", "REVOKE CREATE ON SCHEMA public FROM public"]
    postgresql.run(*statements, *(f"GRANT {right} TO {name}" for right in rights), database=database)
    return url, database


def test_no_right_to_make_tables_is_one_sentence(postgresql, tmp_path):
    url, _ = as_user(postgresql, "guest")
    sentence = refusal(url, tmp_path)
    assert "permission denied for schema public" in sentence
    assert "its user must be allowed to make tables there, and to read and write them." in sentence


def test_no_right_to_write_tables_is_one_sentence(postgresql, tmp_path):
    url, database = as_user(postgresql, "reader")
    Database(checked_url(postgresql.url(database)), "", tmp_path).check()
    postgresql.run("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader", database=database)
    assert "permission denied for table studies" in refusal(url, tmp_path)


def test_who_may_only_read_sees_the_front(postgresql, tmp_path, capsys):
    url, database = as_user(postgresql, "looker")
    result = qnas.search(
        [*QUICKEST, "search.generations=1", f"ledger={postgresql.url(database)}", f"run_dir={tmp_path}/run"]
    )
    postgresql.run("GRANT SELECT ON ALL TABLES IN SCHEMA public TO looker", database=database)
    (result.path / "ledger.url").write_text(url)
    assert len(qnas.Result(result.path).evaluations) == 6


def test_a_driver_that_is_not_installed_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    sentence = refusal("postgresql://me@127.0.0.1:1/db", tmp_path)
    assert "psycopg" in sentence and "install its driver, for PostgreSQL by: pip install 'qnas-hqnn[post" in sentence


def test_a_database_that_sqlalchemy_does_not_know_is_one_sentence(tmp_path):
    sentence = refusal("oracel://me@host/db", tmp_path)
    assert "oracel" in sentence and "give the URL of a database, such as postgresql://user:password@host" in sentence


def test_tables_of_another_optuna_are_one_sentence(tmp_path):
    url = f"sqlite:///{tmp_path}/l.db"
    database = Database(checked_url(url), "a", tmp_path)
    database.check()
    with database.storage().engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'v99'")
    database.close()
    assert "is no longer compatible with the table schema" in refusal(url, tmp_path)


@pytest.mark.slow
def test_a_server_that_goes_away_ends_the_run_with_a_sentence_and_nothing_is_lost(
    finished, postgresql, tmp_path, monkeypatch
):
    evaluated, left = executor_room.evaluate, iter(range(4))

    def evaluate(task):
        if next(left, None) is None:
            postgresql.stop()
        return evaluated(task)

    run = tmp_path / "run"
    with monkeypatch.context() as patched:
        patched.setattr(executor_room, "evaluate", evaluate)
        patched.setattr("time.sleep", lambda seconds: None)
        try:
            with pytest.raises(RunError, match=rf"cannot be written: .* go on with: qnas resume {run}$"):
                qnas.search([*SMALL, f"ledger={postgresql.new_database()}", f"run_dir={run}"])
        finally:
            postgresql.start()
    assert len(read_findings(run).evaluations) == 4
    assert main(["resume", str(run)]) == 0
    assert front_without_seconds(run) == front_without_seconds(finished.path)


def test_a_server_that_was_away_while_designs_were_evaluated_is_not_noticed(postgresql, opened, request):
    if "sqlite" in request.node.name:
        pytest.skip("a file has no server")
    ledger = opened()
    ledger.append(0, COMPLETE)
    postgresql.stop()
    postgresql.start()
    ledger.append(1, FAILED)
    assert list(opened(read_only=True).evaluations()) == [(0, COMPLETE), (1, FAILED)]


def test_searches_that_begin_at_once_make_the_tables_together(postgresql, tmp_path):
    """Of those that do, the server lets one make each."""
    url = checked_url(postgresql.new_database())
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda study: Database(url, study, tmp_path).check(), "abcdef"))


def test_a_server_that_falls_silent_is_waited_for_as_long_as_the_url_says(postgresql, tmp_path):
    """A connection that is cut without a word would hold a search for a quarter of an hour."""
    url = postgresql.new_database()
    found = {}
    for asked in ("", "?tcp_user_timeout=5000"):
        database = Database(checked_url(url + asked), "a", tmp_path)
        with database.storage().engine.connect() as connection:
            found[asked] = connection.connection.driver_connection.info.get_parameters()
        database.close()
    assert [one["tcp_user_timeout"] for one in found.values()] == ["30000", "5000"]
    assert {(one["connect_timeout"], one["keepalives_idle"]) for one in found.values()} == {("10", "60")}
    assert Database("postgresql+pg8000://h/d", "a", tmp_path)._options() == {}, "which has other options"


# --- URLs -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "checked"),
    [
        ("postgresql://u:p%40@h:5/d?sslmode=require", "postgresql+psycopg://u:p%40@h:5/d?sslmode=require"),
        ("postgres://h/d", "postgresql+psycopg://h/d"),
        ("postgresql+psycopg2://h/d", "postgresql+psycopg2://h/d"),
        ("postgresql://u@h/d?password=p", "postgresql+psycopg://u:p@h/d"),
        ("postgresql://h/d?user=u&password=p&a=b", "postgresql+psycopg://u:p@h/d?a=b"),
        ("postgresql://h/d?password=p", "postgresql+psycopg://:p@h/d"),
        ("sqlite:////tmp/a.db", "sqlite:////tmp/a.db"),
    ],
)
def test_a_url_gets_its_driver(given, checked):
    assert checked_url(given) == checked_url(checked) == checked


def test_a_file_of_sqlite_is_the_same_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert compose(["ledger=sqlite:///a.db"]).ledger.url == f"sqlite:///{tmp_path}/a.db"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("here", "ledger.url is 'here'; give the URL of a database, such as postgresql://user:password@host/database."),
        ("", "ledger.url is ''; give the URL of a database"),
        ("sqlite://", "ledger.url is 'sqlite://', a database in memory; give a file"),
        ("sqlite:///:memory:", "a database in memory; give a file"),
        ("postgresql://u:a@b@h/d", "ledger.url is 'postgresql://u:***@h/d'; in a user or password, write @ as %40"),
        ("postgresql://u:p@h:port/d", "ledger.url is 'postgresql://u:***@h:port/d'; give the URL"),
    ],
)
def test_what_is_no_url_is_refused(given, said):
    with pytest.raises(ConfigurationError) as error:
        compose([f"ledger={given}"])
    assert said in str(error.value)


def test_urls_show_no_password():
    assert shown("postgresql://u:p:q@r@h/d?password=x&a=b") == "postgresql://u:***@h/d?password=***&a=b"
    assert shown("postgresql://u@h/d?sslpassword=x") == "postgresql://u@h/d?sslpassword=***"
    assert shown("postgresql://u@h/d") == "postgresql://u@h/d"
    assert without_password("postgresql://u@h/d?sslpassword=***&a=b") == "postgresql://u@h/d?a=b"
    assert without_password("postgresql+psycopg://u:***@h/d") == "postgresql+psycopg://u@h/d"


def test_a_place_is_that_of_every_user_and_driver():
    assert place_of("postgresql+psycopg://u:p@h:5/d?x=y") == place_of("postgresql://h:5/d") == "postgresql://h:5/d"
    assert place_of("postgresql://h:5/d") != place_of("postgresql://h:6/d")
