"""SQL about records: a table with a row for each record, which is all that a query reaches."""

import csv
import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cli.helpers import error_of
from sweeps.squares import recipe

import slth
from slth import InputError, sweeps
from slth.cli.app import run
from slth.records import Environment, Record, Selection, append, read_rows

pytest.importorskip("duckdb")
HERE = Environment(versions={"slth": "0", "numpy": "2"}, commit=None, cpu="any", threads=2)


def record(kind, asked, outcome, **seconds):
    return Record(kind, asked, outcome, seconds or {"a": 1.0, "b": 0.5}, HERE)


@pytest.fixture
def file(tmp_path):
    """Three records of two kinds, with what JSON can hold."""
    path = tmp_path / "runs.jsonl"
    append(path, record("search", {"density": 0.5, "seed": 0}, {"accuracy": {"value": 0.9}, "widths": [4, 2]}))
    append(path, record("search", {"density": 0.5, "seed": 1}, {"accuracy": {"value": 0.7}, "widths": [4, 2]}))
    append(path, record("evaluate", {"data": "digits", "seed": None}, {"accuracy": None, "fc*": True}, total=3.0))
    return path


def test_a_query_is_the_same_sum_as_one_by_hand(file):
    found = slth.query(
        "SELECT asked_density AS density, avg(outcome_accuracy_value) AS mean, count(*) AS n FROM records "
        "WHERE kind = 'search' GROUP BY ALL",
        file,
    )
    assert found == Selection(("density", "mean", "n"), ((0.5, pytest.approx(0.8), 2),))


def test_every_part_of_a_record_is_a_column_of_its_type(file):
    types = {row["column_name"]: row["column_type"] for row in slth.query("DESCRIBE records", file).as_plain()}
    assert types == {
        "file": "VARCHAR",
        "kind": "VARCHAR",
        "question": "VARCHAR",
        "seconds": "DOUBLE",
        "seconds_a": "DOUBLE",
        "seconds_b": "DOUBLE",
        "seconds_total": "DOUBLE",
        "asked_density": "DOUBLE",
        "asked_seed": "BIGINT",
        "asked_data": "VARCHAR",
        "outcome_accuracy_value": "DOUBLE",
        "outcome_widths": "JSON",
        "outcome_fc_": "BOOLEAN",
        "cpu": "VARCHAR",
        "threads": "BIGINT",
        "commit": "VARCHAR",
        "version_slth": "VARCHAR",
        "version_numpy": "VARCHAR",
        "asked": "JSON",
        "outcome": "JSON",
    }
    rows = slth.query("SELECT * FROM records", file).as_plain()
    assert [row["seconds"] for row in rows] == [1.5, 1.5, 3.0]
    assert [row["outcome_widths"] for row in rows] == [[4, 2], [4, 2], None]
    assert rows[2]["outcome"] == {"accuracy": None, "fc*": True}
    assert {row["file"] for row in rows} == {str(file)}
    assert len({row["question"] for row in rows}) == 3


def test_keys_that_are_one_word_in_sql_are_numbered(tmp_path):
    path = append(tmp_path / "r", record("a", {"b_c": 1, "b": {"c": 2}, "B.C": 3, "": 4}, {"x": 1}))
    columns = read_rows([path]).columns
    assert [name for name in columns if name.startswith("asked_")] == [
        "asked_",
        "asked_B_C",
        "asked_b_c_2",
        "asked_b_c_3",
    ]
    assert slth.query("SELECT asked_b_C, asked_b_c_2, asked_b_c_3, asked_ FROM records", path).rows == ((3, 2, 1, 4),)


def test_names_with_bytes_that_are_no_text_can_be_asked(tmp_path):
    """As a file system gives them to Python: half a character."""
    path = append(tmp_path / "r", record("a", {"target": "caf\udce9.onnx", "x\udce9": 1}, {"note": "a\u2028b\0c"}))
    found = slth.query("SELECT asked_target, asked_x_, outcome_note, asked FROM records", path)
    assert found.rows == (("caf?.onnx", 1, "a\u2028b\0c", {"target": "caf?.onnx", "x?": 1}),)


def test_a_sweep_is_a_row_for_each_cell_that_finished_or_failed(tmp_path):
    """x² + y over 3 by 2 cells."""
    sweeps.run(recipe(3, 2), tmp_path / "r")
    found = slth.query("SELECT count(*), count(DISTINCT question), min(kind) FROM records", [tmp_path / "r"])
    assert found.rows == ((6, 6, "square"),)


def test_printed_as_table_json_and_csv(file, capsys):
    sql = "SELECT kind, asked_seed, outcome_widths, outcome_fc_ FROM records"
    assert run(["query", sql, str(file)]) == 0
    shown, said = capsys.readouterr()
    assert shown.splitlines()[0].split() == ["kind", "asked_seed", "outcome_widths", "outcome_fc_"]
    assert shown.splitlines()[2].split() == ["search", "1", "[4,", "2]"]
    assert said == "slth: 3 rows\n"
    assert run(["query", sql, str(file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0] == {
        "kind": "search",
        "asked_seed": 0,
        "outcome_widths": [4, 2],
        "outcome_fc_": None,
    }
    assert run(["query", sql, str(file), "--csv"]) == 0
    assert [*csv.reader(capsys.readouterr().out.splitlines())] == [
        ["kind", "asked_seed", "outcome_widths", "outcome_fc_"],
        ["search", "0", "[4, 2]", ""],
        ["search", "1", "[4, 2]", ""],
        ["evaluate", "", "", "true"],
    ]


def test_values_that_json_has_not_are_their_text_or_nothing(file):
    sql = "SELECT DATE '2020-01-02', 1.50::DECIMAL(4, 2), 'nan'::DOUBLE, [1.5, 'inf'::DOUBLE], 'ab'::BLOB, {'a': 1}"
    assert slth.query(sql, file).rows == (("2020-01-02", "1.50", None, [1.5, None], "6162", {"a": 1}),)


def test_what_is_infinite_in_a_record_is_nothing_in_json(tmp_path, capsys):
    """Of records that slth did not write; wherever it stands, and however deep."""
    path = tmp_path / "r"
    line = record("a", {}, {"x": 1.5, "y": [0.25]}).as_json()
    path.write_text(line.replace("1.5", "NaN").replace("0.25", '1e999, {"z": -Infinity}') + "\n")
    assert run(["query", "SELECT outcome, outcome->'y' AS y, outcome_x FROM records", str(path), "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    deep = [None, {"z": None}]
    assert row == {"outcome": {"x": None, "y": deep}, "y": deep, "outcome_x": None}


def test_the_queries_of_the_documents_run(tmp_path):
    """Of cells of a sweep: two that finished, one twice, and one that failed."""
    path = tmp_path / "r"
    where = Environment(versions={"torch": "2"}, commit=None, cpu="any", threads=1)
    for method, outcome in (
        ("biprop", {"accuracy": 0.5}),
        ("edge-popup", {"accuracy": 0.75}),
        ("edge-popup", {"accuracy": 0.75}),
        ("biprop", {"error": "InputError", "message": "no"}),
    ):
        asked = {"method": method, "density": 0.5, "bad": "error" in outcome}
        append(path, Record("search", asked, outcome, {"total": 2.0}, where))
    page = (Path(__file__).parents[2] / "docs/records.md").read_text()
    (block,) = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    again, failed, methods, times = [slth.query(sql, path) for sql in block.splitlines() if not sql.startswith("--")]
    assert [row[1:] for row in again.rows] == [(2, 2.0, 2.0)]
    assert [row[1:] for row in failed.rows] == [("InputError", "no")]
    assert methods.as_plain() == [{"asked_density": 0.5, "biprop": 0.5, "edge-popup": 0.75}]
    assert times.rows == (("2", "any", 2.0),)


REFUSED = {
    "no such column": (
        "SELECT acuracy FROM records",
        "no column acuracy; did you mean outcome_accuracy_value? It has file,",
    ),
    "no such table": ("SELECT 1 FROM recods", "does not run: Table with name recods does not exist; what can be"),
    "no SQL": ("SELEC", 'does not run: syntax error at or near "SELEC"; what can be asked'),
    "nothing": ("", "expected one statement of SQL, got 0"),
    "two": ("SELECT 1; SELECT 2", "expected one statement of SQL, got 2"),
    "a type": ("SELECT kind + 1 FROM records", "does not run: "),
    "another file": ("SELECT * FROM '/etc/passwd'", "Table with name /etc/passwd does not exist; "),
    "another file by a function": ("SELECT * FROM read_text('/etc/passwd')", 'Cannot access file "/etc/passwd"'),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_run_is_one_sentence(case, file, capsys):
    sql, sentence = REFUSED[case]
    assert sentence in error_of(capsys, "query", sql, file)


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE records",
        "INSERT INTO records (kind) VALUES ('x')",
        "COPY records TO 'x.csv'",
        "ATTACH 'x.db'",
        "SET enable_external_access=true",
        "INSTALL httpfs",
        "CREATE TABLE x AS SELECT 1",
    ],
)
def test_a_query_only_reads(sql, file, monkeypatch):
    monkeypatch.chdir(file.parent)
    before = file.read_bytes()
    with pytest.raises(InputError, match=r"^a query reads, and "):
        slth.query(sql, file)
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_what_holds_no_records_is_refused(tmp_path, capsys):
    (tmp_path / "empty.jsonl").touch()
    (tmp_path / "text.jsonl").write_text("hello\n")
    (tmp_path / "list.jsonl").write_text(record("a", {}, {}).as_json().replace('"asked":{}', '"asked":[]') + "\n")
    for name, sentence in (
        ("empty.jsonl", "holds no records"),
        ("text.jsonl", "text.jsonl, line 1 is not a record of slth"),
        ("list.jsonl", "list.jsonl, line 1 is not a record of slth"),
        ("missing.jsonl", "no such file"),
        ("t.slth", "no such file"),
        ("", "it is a folder, and no sweep's"),
    ):
        assert sentence in error_of(capsys, "query", "SELECT 1", tmp_path / name)


def test_columns_that_are_many_are_counted(tmp_path, capsys):
    path = append(tmp_path / "r", record("a", {f"x{i}": i for i in range(60)}, {}))
    said = error_of(capsys, "query", "SELECT y FROM records", path)
    assert "cpu, threads, commit, asked, outcome, asked_... (60)" in said.replace("seconds_... (2), ", "")
    assert said.endswith("DESCRIBE records lists them")


def test_what_is_not_given_is_said(file):
    for given, sentence in (
        ((None, file), "sql must be a text, got None"),
        (("SELECT 1", None), "files must be the name of a file, got None"),
        (("SELECT 1", []), "expected files of records or folders of sweeps, at least one, got none"),
    ):
        with pytest.raises(InputError, match=sentence):
            slth.query(*given)


def test_without_duckdb_it_says_what_to_install(file, monkeypatch):
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(InputError, match=r"queries need the package duckdb: pip install .*\[query\]"):
        slth.query("SELECT 1", file)


@pytest.mark.slow
def test_ctrl_c_ends_a_long_query(file):
    endless = "SELECT count(*) FROM range(1000000000000) a WHERE a.range % 7 = 3"
    running = subprocess.Popen([sys.executable, "-m", "slth", "query", endless, str(file)], stderr=subprocess.PIPE)
    time.sleep(5)
    running.send_signal(signal.SIGINT)
    assert running.wait(timeout=60) == 130
    assert running.stderr is not None
    assert running.stderr.read() == b"slth: interrupted; nothing is left half written\n"
