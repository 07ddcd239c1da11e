"""Schema: the table of calls as SQL, its version, and how a log of an older hfreg gets what it lacks.

What was stored stays as it is: a migration only adds columns. A newer schema than this one is left alone.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Column, Engine, MetaData, Table

SCHEMA = 3
LOCK = 7_209_331  # the advisory lock under which PostgreSQL writers take turns


@cache
def _tables() -> tuple[MetaData, Table, Table]:
    from sqlalchemy import BigInteger, Boolean, Column, Double, Index, Integer, MetaData, Table, Text

    def text(name: str, nullable: bool = False) -> Column[Any]:
        return Column(name, Text, nullable=nullable)

    metadata = MetaData()
    about = Table("hfreg_meta", metadata, Column("key", Text, primary_key=True), Column("value", BigInteger))
    calls = Table(
        "calls",
        metadata,
        Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
        Column("id", Text, nullable=False, unique=True),
        Column("at", BigInteger, nullable=False),  # microseconds since 1970, UTC: exact and the same everywhere
        *(text(name) for name in ("alias", "state", "source", "user", "status", "error_kind", "error", "tier")),
        *(Column(name, Double, nullable=False) for name in ("queue_ms", "load_ms", "run_ms", "total_ms")),
        *(Column(name, BigInteger, nullable=False) for name in ("version", "input_bytes", "output_bytes", "warnings")),
        *(Column(name, Boolean, nullable=False) for name in ("cold", "network", "token")),
        text("arguments", nullable=True),  # last: a scan of the others does not read through long texts
        text("answer", nullable=True),
        *_added(),
        Index("calls_at", "at", "seq"),
        Index("calls_alias_at", "alias", "at"),
        sqlite_autoincrement=True,  # a number is never given twice, also after the newest rows were deleted
    )
    return metadata, about, calls


def _added() -> tuple[Column[Any], ...]:
    """Return what later schemas added, behind all that was there.

    Schema 2: how many rows of a table a record stands for. Schema 3: what a reply told of its use.
    """
    from sqlalchemy import BigInteger, Column, Double, Text

    counts = (Column(name, BigInteger, nullable=False, server_default="0") for name in ("rows", "failed"))
    tokens = (Column(name, BigInteger, nullable=True) for name in ("tokens_in", "tokens_out"))
    return (*counts, Column("sketch", Text, nullable=True), *tokens, Column("cost", Double, nullable=True))


def calls_table() -> Table:
    """Return the table of calls; `seq` grows in the order of commits."""
    return _tables()[2]


def found_schema(engine: Engine) -> int:
    """Return the version of the schema that is there, 0 for none."""
    from sqlalchemy import inspect, select

    about = _tables()[1]
    with engine.connect() as connection:
        if not inspect(connection).has_table(about.name):
            return 0
        return int(connection.scalar(select(about.c.value).where(about.c.key == "schema")) or 0)


def create(engine: Engine) -> int:
    from sqlalchemy import select

    metadata, about, _ = _tables()
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
        metadata.create_all(connection, checkfirst=True)
        found = connection.scalar(select(about.c.value).where(about.c.key == "schema"))
        if found is None:
            connection.execute(about.insert().values(key="schema", value=SCHEMA))
        connection.commit()
    return int(found or SCHEMA)


def migrate(engine: Engine) -> int:
    """Add what an older hfreg did not have, and return the schema that is there then; what is stored stays."""
    from sqlalchemy import inspect, select
    from sqlalchemy.schema import CreateColumn

    _, about, calls = _tables()
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
        there = {column["name"] for column in inspect(connection).get_columns(calls.name)}
        for column in _added():
            if column.name not in there:  # another process may have been first
                words = CreateColumn(calls.c[column.name]).compile(dialect=engine.dialect)
                connection.exec_driver_sql(f"ALTER TABLE {calls.name} ADD COLUMN {words}")
        connection.execute(about.update().where(about.c.key == "schema").values(value=SCHEMA))
        found = connection.scalar(select(about.c.value).where(about.c.key == "schema"))
        connection.commit()
    return int(found or SCHEMA)
