"""SQL about records, by DuckDB: they are read into a table in memory, which is all that a query can reach."""

import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from slth import _arguments
from slth._errors import InputError
from slth._extras import install
from slth._files import write_atomically
from slth.records import Rows, Selection, as_lines, read_rows, verbs

__all__ = ["Selection", "query"]

_READS = ("SELECT", "EXPLAIN", "MULTI")  # the last one is how DuckDB sees a PIVOT
_MOST_LISTED = 40  # columns in a sentence
_LEAST_BUFFER = 1 << 24  # DuckDB's own, bytes of a line


def query(sql: str, files: str | Path | Sequence[str | Path]) -> Selection:
    """Ask SQL about records: JSON lines files and folders of sweeps are one table, `records`, a row for each record.

    Its columns: `file`, `kind`, `question`, `seconds`, then what was asked (`asked_tolerance`), what came out
    (`outcome_accuracy_value`), parts of the time (`seconds_construct`), `cpu`, `threads`, `commit`, `version_numpy`,
    and `asked` and `outcome` whole, as JSON. `DESCRIBE records` lists them. Files are read, never written, and a query
    reaches no others.

    Args:
        sql: one statement that reads, in DuckDB's SQL.
        files: records in JSON lines, and folders of sweeps with their finished and failed cells.

    Raises:
        InputError: DuckDB is missing, a file is no record, the statement does not run (it says why, and which columns
            there are), or would do more than read.
    """
    sql, paths = verbs.read(verbs.Query, "sql", sql), verbs.read(verbs.Query, "files", files)
    try:
        import duckdb
    except ModuleNotFoundError as error:
        raise InputError(f"queries need the package duckdb: {install('query')}") from error
    found = read_rows(paths)
    options: Mapping[str, Any] = {"autoinstall_known_extensions": False, "temp_directory": ""}
    with duckdb.connect(config=dict(options)) as database:
        try:
            statements = database.extract_statements(sql)
            if len(statements) != 1:
                raise InputError(f"expected one statement of SQL, got {len(statements)}; try SELECT kind FROM records")
            if statements[0].type.name not in _READS:
                kind = statements[0].type.name
                raise InputError(f"a query reads, and {kind} does more; begin it with SELECT, FROM or DESCRIBE")
            _fill(database, found)
            answer = _interruptible(database, sql)
            columns = tuple(part[0] for part in answer.description or ())
            decoded = [str(part[1]) == "JSON" for part in answer.description or ()]
            rows = answer.fetchall()
        except duckdb.Error as error:
            raise InputError(_sentence(str(error), found)) from error
    return Selection(
        columns,
        tuple(tuple(_plain(value, json) for value, json in zip(row, decoded, strict=True)) for row in rows),
    )


def _fill(database: Any, found: Rows) -> None:
    """Make the table `records`, then close every other door of the database."""
    lines = as_lines(found)
    most = max([_LEAST_BUFFER, *(2 * len(line) for line in lines.splitlines())])
    with TemporaryDirectory(prefix="slth-query-") as folder:
        file = Path(folder) / "records.json"
        write_atomically(file, lines)
        database.execute(
            "CREATE TABLE records AS SELECT * FROM "
            "read_json($1, format='newline_delimited', columns=$2, maximum_object_size=$3)",
            [str(file), dict(found.columns), most],
        )
    database.execute("SET enable_external_access=false")
    database.execute("SET lock_configuration=true")


def _interruptible(database: Any, sql: str) -> Any:
    """The answer, computed by another thread: Ctrl-C, which DuckDB would not hear, reaches this one."""
    with ThreadPoolExecutor(1) as worker:
        answer = worker.submit(database.execute, sql)
        try:
            return answer.result()
        except KeyboardInterrupt:
            database.interrupt()
            raise


def _sentence(said: str, found: Rows) -> str:
    """DuckDB's message in one sentence; of a column that is not there, those that are."""
    first, _, _ = said.partition("\n\nLINE")
    _, _, first = first.partition("Error: ")
    lines = [
        line for line in first.splitlines() if line and not line.startswith(("Candidate bindings", "Did you mean"))
    ]
    why = " ".join(lines).rstrip(".!?")
    missing = re.search(r'column "([^"]+)"', why)
    if missing is None:
        return f"the query does not run: {why}; what can be asked is the table records, and DESCRIBE records lists it"
    ends = {name.partition("_")[2]: name for name in found.columns if "_" in name}
    close = _arguments.near(missing[1], found.columns) or ends.get(_arguments.near(missing[1], ends) or "")
    hint = f"did you mean {close}? It has" if close else "it has"
    return f"the table records has no column {missing[1]}; {hint} {_listed(found.columns)}"


def _listed(columns: Mapping[str, str]) -> str:
    """All columns; of many, those that begin alike are counted."""
    if len(columns) <= _MOST_LISTED:
        return ", ".join(columns)
    starts = Counter(f"{start}_..." for name in columns for start, _, rest in [name.partition("_")] if rest)
    alone = [name for name in columns if "_" not in name]
    grouped = [f"{start} ({count})" for start, count in starts.items()]
    return f"{', '.join([*alone, *grouped])}; DESCRIBE records lists them"


def _plain(value: Any, is_json: bool) -> Any:
    """A value as JSON has it: a time or a decimal as its text, not-a-number and infinity as nothing."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return _finite(value)
    if isinstance(value, str):
        with suppress(ValueError):
            return json.loads(value, parse_float=_finite, parse_constant=_finite) if is_json else value
        return value
    if isinstance(value, list | tuple):
        return [_plain(part, False) for part in cast("Sequence[Any]", value)]
    if isinstance(value, Mapping):
        return {str(key): _plain(part, False) for key, part in cast("Mapping[Any, Any]", value).items()}
    return value.hex() if isinstance(value, bytes) else str(value)


def _finite(value: float | str) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None
