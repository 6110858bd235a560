"""No write ever destroys the old file: after a failure or an interrupt at any moment the old content stands or the new.

Faults come at every system call that the writers make, at every line of their code, and from the operating system,
which cuts a real write short or kills the process.
"""

import errno
import io
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from helpers.tickets import any_ticket

from slth import InputError, _files
from slth._files import append_line, check_writable, write_atomically
from slth.records import Environment, Record, append, read
from slth.ticket import encode, load, save

OLD = b'{"old":1}\n'
PARTS = [b"a" * 5000, b"b" * 70_000, b"c" * 3]
FULL = OSError(errno.ENOSPC, "No space left on device")
CALLS = ("stat", "access", "fsync", "replace")
SOURCE = Path(__file__).parents[2] / "src" / "slth"


def write(path):
    write_atomically(path, PARTS)


def extend(path):
    append_line(path, "x" * 5000)


WRITERS = {write: b"".join(PARTS), extend: OLD + b"x" * 5000 + b"\n"}


class Faulty:
    """Counts the system calls of `_files`; number `fatal` raises the fault, before it acts or after."""

    def __init__(self, fatal: int | None = None, fault: BaseException | None = None, acts: bool = False) -> None:
        self.fatal, self.fault, self.acts = fatal, fault, acts
        self.names: list[str] = []

    def wrapped(self, name, real):
        def call(*args, **options):
            self.names.append(name)
            last = len(self.names) - 1 == self.fatal
            done = real(*args, **options) if self.acts or not last else None
            if not last:
                return done
            raise self.fault

        return call

    def opened(self, path, mode, buffering=-1, opener=None):
        """A file whose calls are counted, and whose writes are short where a buffer stands before it."""

        class Raw(io.FileIO):
            def write(raw, data):
                return self.wrapped("write", io.FileIO.write)(raw, bytes(data)[: 40_000 if buffering else None])

            def seek(raw, *to):
                return self.wrapped("seek", io.FileIO.seek)(raw, *to)

            def close(raw):
                done = io.FileIO.close(raw)  # a close that fails has closed
                return self.wrapped("close", lambda: done)() if sys.exc_info()[0] is None else done

        raw = self.wrapped("open", Raw)(path, mode.replace("b", ""), opener=opener)
        return io.BufferedWriter(raw) if buffering else raw

    def run(self, monkeypatch, writer, path):
        with monkeypatch.context() as patch:
            for name in CALLS:
                patch.setattr(os, name, self.wrapped(name, getattr(os, name)))
            patch.setattr(_files, "open", self.opened, raising=False)
            writer(path)


@pytest.fixture
def path(tmp_path):
    (tmp_path / "f.slth").write_bytes(OLD)
    return tmp_path / "f.slth"


def alone(path):
    return list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize(
    ("fault", "acts"), [(FULL, False), (KeyboardInterrupt(), False), (KeyboardInterrupt(), True)], ids=str
)
def test_a_fault_at_any_system_call_leaves_the_old_content_or_the_new(path, monkeypatch, writer, fault, acts):
    """An InputError says that nothing was changed; then nothing was. An interrupt passes through."""
    counter = Faulty()
    counter.run(monkeypatch, writer, path)
    assert path.read_bytes() == WRITERS[writer]
    own = "replace" if writer is write else "seek"
    assert {"stat", "access", "open", "write", "fsync", "close", own} <= set(counter.names)
    for fatal, name in enumerate(counter.names):
        path.write_bytes(OLD)
        refused = isinstance(fault, OSError)
        with pytest.raises(InputError if refused else KeyboardInterrupt) as caught:
            Faulty(fatal, fault, acts).run(monkeypatch, writer, path)
        assert not refused or re.fullmatch(r"cannot write .*No space left on device; .*", str(caught.value)), name
        late = writer is extend and name == "close"  # all is synchronised; what closing says does not matter
        assert path.read_bytes() in ([OLD] if refused and not late else [OLD, WRITERS[writer]]), name
        assert alone(path), name


@pytest.mark.parametrize("writer", WRITERS)
def test_an_interrupt_at_any_line_leaves_the_old_content_or_the_new(path, writer):
    """Python looks for Ctrl-C between lines, too."""
    lines = 0

    def interrupt_at(fatal):
        def trace(frame, event, _):
            nonlocal lines
            if frame.f_code.co_filename != _files.__file__:
                return None
            if event == "line":
                lines += 1
                if lines == fatal:
                    raise KeyboardInterrupt
            return trace

        return trace

    before = sys.gettrace()
    for fatal in range(1, 200):
        path.write_bytes(OLD)
        lines = 0
        sys.settrace(interrupt_at(fatal))
        try:
            writer(path)
            break
        except KeyboardInterrupt:
            assert path.read_bytes() in (OLD, WRITERS[writer])
            assert alone(path)
        finally:
            sys.settrace(before)
    assert 15 < fatal < 199


def test_a_failed_clean_up_hides_no_failure(path, monkeypatch):
    """The disk is full and the temporary file cannot be removed: still one sentence, and the old file stands."""

    def refuse(*_, **__):
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", refuse)
        patch.setattr(os, "fsync", refuse)
        with pytest.raises(InputError, match="nothing was changed"):
            write(path)
    assert path.read_bytes() == OLD


def test_content_that_fails_while_it_is_made_leaves_nothing(path):
    def chunks():
        yield b"new"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_atomically(path, chunks())
    assert path.read_bytes() == OLD
    assert alone(path)


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("room", [0, 1, 2500, 5000])
def test_a_write_that_the_system_cuts_short_is_taken_back(path, writer, room):
    """A limit on the size of files makes the kernel write a part, and then refuse."""
    verb = "write_atomically(sys.argv[1], b'a' * 80000)" if writer is write else "append_line(sys.argv[1], 'x' * 5000)"
    code = (
        "import resource, sys; from slth._files import *; from slth import InputError\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({len(OLD) + room},) * 2)\n"
        f"try: {verb}\n"
        "except InputError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("cannot write"), done
    assert path.read_bytes() == OLD
    assert alone(path)


def test_a_process_killed_while_it_writes_leaves_the_old_file(path):
    code = (
        "import os, signal, sys; from slth._files import write_atomically\n"
        "def chunks():\n"
        "    yield b'new' * 100000\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "write_atomically(sys.argv[1], chunks())"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert path.read_bytes() == OLD


def test_an_interrupt_after_half_a_line_takes_it_back(path, monkeypatch):
    class Half(io.FileIO):
        def write(self, data):
            super().write(data[: len(data) // 2])
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(_files, "open", lambda path, mode, buffering: Half(path, "a+"), raising=False)
        with pytest.raises(KeyboardInterrupt):
            extend(path)
    assert path.read_bytes() == OLD


def test_a_line_that_a_crash_left_unfinished_spoils_no_other(path):
    path.write_bytes(OLD + b'{"torn":')
    append_line(path, '{"new":1}')
    assert path.read_bytes() == OLD + b'{"torn":\n{"new":1}\n'


def test_a_failing_writer_never_takes_back_the_line_of_another(path, monkeypatch):
    """Four writers at once; every third write falls short after the others had time to interfere."""
    count, written = iter(range(10**6)), []

    class Short(io.FileIO):
        def write(self, data):
            if next(count) % 3:
                return super().write(data)
            done = super().write(data[:7])
            time.sleep(0.002)
            return done

    monkeypatch.setattr(_files, "open", lambda path, mode, buffering: Short(path, "a+"), raising=False)

    def work(name):
        for k in range(12):
            line = f"x{name}-{k}" + "." * 20
            try:
                append_line(path, line)
            except InputError:
                continue
            written.append(line)

    threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 0 < len(written) < 48
    assert sorted(path.read_text().splitlines()[1:]) == sorted(written)


def test_places_that_are_no_files_are_refused_and_left_alone(tmp_path):
    """A pipe (or a device) is neither replaced nor waited for; a name that is too long is a sentence."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    (tmp_path / "file").write_bytes(OLD)
    for place in (pipe, tmp_path, tmp_path / "n" / "f", tmp_path / ("n" * 300), tmp_path / "file/f"):
        for attempt in (write, extend, check_writable):
            with pytest.raises(InputError, match="cannot write"):
                attempt(place)
    assert pipe.is_fifo()
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["file", "pipe"]


def test_a_ticket_and_a_record_survive_the_failure_of_their_successors(tmp_path, monkeypatch):
    path, log = tmp_path / "t.slth", tmp_path / "log.jsonl"
    record = Record("test", {"a": 1}, {"b": 2}, {"c": 0.5}, Environment({}, None, "", 1))
    save(any_ticket()[0], path)
    append(log, record)

    def full(*_):
        raise FULL

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(InputError):
            save(any_ticket(seed=6)[0], path)
        with pytest.raises(InputError):
            append(log, record)
    assert encode(load(path)) == encode(any_ticket()[0])
    assert list(read(log)) == [record]


@pytest.mark.parametrize("line", [b"[" * 200_000, b"\xff\xfe", b"\0", b"1", b"[]", b'{"kind":', b"9" * 5000, b"NaN"])
def test_a_line_that_is_no_record_is_named(path, line):
    path.write_bytes(line + b"\n")
    with pytest.raises(InputError, match="line 1 is not a record"):
        list(read(path))


def test_every_file_is_written_through_these_two_functions():
    pattern = re.compile(r"""write_text\(|write_bytes\(|open\([^)]*["'][rb]*[wax+]|shutil\.|os\.rename""")
    found = {p.relative_to(SOURCE).as_posix() for p in SOURCE.rglob("*.py") if pattern.search(p.read_text())}
    assert found == {"_files.py"}
