"""Whether a text column holds one of many values, which are one parameter of the statement.

With a parameter each, a statement is written out anew for every number of values, which takes longer than a page
of orders does in the database.
"""

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import BindParameter, Boolean, Column, ColumnElement, Dialect, Text, TextualSelect, bindparam, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine


class _Values(TypeDecorator[Collection[str]]):
    """An array on PostgreSQL, a JSON array on SQLite."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(postgresql.ARRAY(Text) if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: Collection[str] | None, dialect: Dialect) -> Any:
        values = list(value or ())
        return values if dialect.name == "postgresql" else msgspec.json.encode(values).decode()


_VALUES = _Values()
# Many values given as `these`, one a row as `given.value`, in the words of SQLite and of PostgreSQL.
GIVEN_VALUES = {False: "json_each(:these) AS given", True: "unnest(:these) AS given(value)"}


class _Among(FunctionElement[bool]):
    type = Boolean()
    inherit_cache = True

    def self_group(self, against: Any = None) -> "_Among":
        # It has its parentheses; SQLAlchemy would compare it with 1, and SQLite then look into no index.
        return self


def any_of(column: ColumnElement[str], values: Collection[str]) -> ColumnElement[bool]:
    """Whether the column holds one of these values."""
    # A dictionary would live, with its page of orders, for as long as the statement: until the collector looks.
    return _Among(column, bindparam(None, tuple(values), type_=_VALUES, unique=True))


def any_of_given(column: ColumnElement[str], name: str) -> ColumnElement[bool]:
    """The same for values that are given with each execution, by name: such a statement is built only once."""
    return _Among(column, bindparam(name, type_=_VALUES))


def each_of(owner: Column[str], key: Column[str], columns: Sequence[Column[Any]]) -> dict[bool, TextualSelect]:
    """Statements that find rows by `:owner` and `:these` keys, in the words of SQLite and of PostgreSQL.

    Each key is looked up by itself in the index of both. PostgreSQL keeps a plan that it made while a table was
    small, and looks through all that an owner has where it takes this for little; here it cannot.
    """
    wanted = ", ".join(f"{key.table.name}.{column.name}" for column in columns)
    mine = f"{owner.name} = :owner AND {key.name} = given.value"
    one = f"LATERAL (SELECT * FROM {key.table.name} WHERE {mine} OFFSET 0) AS {key.table.name}"
    found = {
        False: f"SELECT {wanted} FROM {GIVEN_VALUES[False]} CROSS JOIN {key.table.name} ON {mine}",
        True: f"SELECT {wanted} FROM {GIVEN_VALUES[True]} CROSS JOIN {one}",
    }
    return {postgres: text(sql).bindparams(these()).columns(*columns) for postgres, sql in found.items()}


def these() -> BindParameter[Collection[str]]:
    """The parameter of a statement with `GIVEN_VALUES` in its text."""
    return bindparam("these", type_=_VALUES)


@compiles(_Among, "sqlite")
def _in_json(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(clause, **options) for clause in element.clauses)
    return f"({column} IN (SELECT value FROM json_each({values})))"


@compiles(_Among, "postgresql")
def _in_array(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(clause, **options) for clause in element.clauses)
    return f"({column} = ANY ({values}))"
