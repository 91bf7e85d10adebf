# SPDX-License-Identifier: Apache-2.0
"""The store: made once by many processes, migrated, full, read-only, not there, PostgreSQL."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect, text

from hostler.errors import BackendError, Conflict, HostlerError, InvalidInput
from hostler.plan.journal import Journal
from hostler.plan.runner import Runner
from hostler.store import Store, default_url
from hostler.store.migrations import upgrade
from hostler.store.tables import HEAD, metadata

from .toys import Folder, Toy, plan_of

pytestmark = pytest.mark.slow

CHECK = """
import sys
from hostler.errors import HostlerError
from hostler.plan.journal import Journal
from hostler.store import Store
try:
    Journal(Store(sys.argv[1])).check()
except HostlerError as error:
    sys.exit(str(error))
"""


def python(code: str, *argv: str, prefix: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    command = [*prefix, sys.executable, "-c", code, *argv]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def test_default_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    assert default_url() == "sqlite:////state/hostler/hostler.db"
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", "/home/me")
    assert default_url() == "sqlite:////home/me/.local/state/hostler/hostler.db"
    monkeypatch.setenv("HOSTLER_STORE", "postgresql+psycopg://db/hostler")
    assert default_url() == "postgresql+psycopg://db/hostler"


def test_migrations_make_what_create_all_makes(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/migrated.db")
    upgrade(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        assert context.get_current_revision() == HEAD
    with Store(f"sqlite:///{tmp_path}/migrated.db").read() as db:
        migrated = set(inspect(db).get_table_names())
    with Store(f"sqlite:///{tmp_path}/made.db").read() as db:
        assert set(inspect(db).get_table_names()) == migrated


def test_the_folder_is_made_private(tmp_path: Path) -> None:
    Journal(Store(f"sqlite:///{tmp_path}/new/hostler.db")).check()
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


def test_a_killed_first_start_leaves_nothing_half_made(tmp_path: Path) -> None:
    dies = """
import os, sys
import hostler.store.store as store
create_all = store.metadata.create_all
def dies(connection): create_all(connection); os.kill(os.getpid(), 9)
store.metadata.create_all = dies
with store.Store(sys.argv[1]).write(): pass
"""
    url = f"sqlite:///{tmp_path}/hostler.db"
    process = python(dies, url)
    process.communicate()
    assert process.returncode == -9
    Journal(Store(url)).check()


def test_a_newer_database_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/hostler.db"
    with Store(url).write() as db:
        db.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Conflict, match=r"newer version of hostler made this database.*9999"):
        Journal(Store(url)).check()


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "hostler.db").write_text("Dear diary, this is no database. " * 100)
    with pytest.raises(BackendError, match="file is not a database"):
        Journal(Store(f"sqlite:///{tmp_path}/hostler.db")).check()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BackendError, match=r"folder can't be made: .*HOSTLER_STORE"):
        Journal(Store(f"sqlite:///{tmp_path}/file/hostler.db")).check()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("geheim", "is not an SQLAlchemy URL"),
        ("nonsense://me:geheim@db/x", "no driver for this database"),
        ("postgresql://me:geheim@db:port/x", "is not an SQLAlchemy URL"),
        ("mysql+nosuch://me:geheim@db/x", "no driver for this database"),
    ],
)
def test_bad_urls(url: str, says: str) -> None:
    with pytest.raises(InvalidInput, match=says) as caught:
        Journal(Store(url)).check()
    assert "geheim" not in str(caught.value)
    assert "sqlite:////path" in str(caught.value)


def test_a_database_locked_by_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hostler.store.store.BUSY_SECONDS", 0.1)
    url = f"sqlite:///{tmp_path}/hostler.db"
    Journal(Store(url)).check()
    other = sqlite3.connect(tmp_path / "hostler.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(BackendError, match="database is locked"):
        Journal(Store(url)).check()
    other.close()
    Journal(Store(url)).check()


def in_mount(tmp_path: Path, script: str, *argv: str) -> subprocess.CompletedProcess[str]:
    """Run a shell script that may mount things, in mount and user namespaces of its own."""
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-euc", script, "sh", *argv]
    return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)


def test_a_read_only_database(tmp_path: Path) -> None:
    Journal(Store(f"sqlite:///{tmp_path}/db/hostler.db")).check()
    script = 'mount --bind db db; mount -o remount,bind,ro db; exec "$@"'
    url = f"sqlite:///{tmp_path}/db/hostler.db"
    ran = in_mount(tmp_path, script, sys.executable, "-c", CHECK, url)
    assert ran.returncode == 1
    assert "readonly database" in ran.stderr
    assert "Check its disk space and permissions" in ran.stderr


FILLS_UP = """
import sys
from pathlib import Path
from hostler.errors import PlanFailed
from hostler.plan import Plan
from hostler.plan.journal import Journal
from hostler.plan.runner import Runner
from hostler.store import Store
sys.path.insert(0, sys.argv[2])
from toys import Folder, Toy
folder, filler = Folder(Path(sys.argv[1])), Path("disk/filler")
class Fills(Toy):
    kind = "toy.fills"
    def apply(self, world, report):
        super().apply(world, report)
        try:
            with filler.open("wb") as file:
                while True: file.write(bytes(1024)); file.flush()
        except OSError:
            pass
journal = Journal(Store("sqlite:///disk/hostler.db"))
runner = Runner(folder, lambda: journal)
plan = Plan(target="toy/1", summary="x", before={"note": "x" * 50000},
            steps=[Toy(name="a"), Fills(name="b"), *(Toy(name=f"{n:04}") for n in range(2000))])
try:
    runner.run(plan)
except PlanFailed as error:
    print(error.cause)
names = folder.names()
filler.unlink()
stored = journal.load(plan.id)
assert stored.statuses.count("done") >= len(names) - 1, stored.statuses
assert 2 <= len(names) < 2000, len(names)
"""


def test_a_full_disk_stops_the_work(tmp_path: Path) -> None:
    """The journal's disk fills up while a plan is applied: work stops, the journal is right."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "world").mkdir()
    script = 'mount -t tmpfs -o size=4m none disk; exec "$@"'
    here = str(Path(__file__).parent)
    ran = in_mount(tmp_path, script, sys.executable, "-c", FILLS_UP, "world", here)
    assert ran.stderr == ""
    assert "database or disk is full" in ran.stdout
    assert ran.returncode == 0


POSTGRESQL = os.environ.get("HOSTLER_TEST_POSTGRESQL")
"""Opt-in: the URL of an empty PostgreSQL database, postgresql+psycopg://user@host/database."""


@pytest.fixture(params=["sqlite", POSTGRESQL] if POSTGRESQL else ["sqlite"])
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A store in each database that there is to test with."""
    url = f"sqlite:///{tmp_path}/hostler.db" if request.param == "sqlite" else request.param
    store = Store(url)
    yield store
    store.close()
    if request.param == POSTGRESQL:
        engine = create_engine(url)
        with engine.begin() as db:
            metadata.drop_all(db)
            db.execute(text("DROP TABLE alembic_version"))


def test_a_plan_on_each_database(any_store: Store, tmp_path: Path) -> None:
    (tmp_path / "world").mkdir()
    journal, world = Journal(any_store), Folder(tmp_path / "world")
    runner = Runner(world, lambda: journal)
    plan = plan_of(Toy(name="a"), Toy(name="b"))
    runner.run(plan)
    with pytest.raises(HostlerError, match="applied before"):
        runner.run(plan)
    assert runner.undo(plan.id).undone == ["make b", "make a"]
    assert [p.status for p in journal.list()] == ["undone"]
    assert [e.command for e in journal.log()] == ["touch b", "touch a"]
    journal.check()
    assert journal.clear() == 2
    assert journal.list() == []


def test_migrations_on_each_database(any_store: Store) -> None:
    engine = create_engine(any_store.url)
    upgrade(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    Journal(any_store).check()


def test_many_processes_make_it_at_once(any_store: Store) -> None:
    processes = [python(CHECK, any_store.url) for _ in range(6)]
    assert [process.communicate()[1] for process in processes] == [""] * 6
    with any_store.read() as db:
        assert db.scalar(text("SELECT count(*) FROM alembic_version")) == 1


def test_many_processes_migrate_it_at_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/old.db"
    upgrade(create_engine(url), "0001")
    processes = [python(CHECK, url) for _ in range(6)]
    assert [process.communicate()[1] for process in processes] == [""] * 6
    with Store(url).read() as db:
        assert db.scalar(text("SELECT version_num FROM alembic_version")) == HEAD
