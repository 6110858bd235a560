"""Measurements as frozen rows: what was asked, where it ran, what came out, how long it took. JSON lines."""

import hashlib
import json
import platform
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from slth._arguments import is_real, is_whole
from slth._errors import InputError
from slth._files import append_line, check_readable

_PACKAGES = ("slth", "numpy", "numba", "torch")


@dataclass(frozen=True, slots=True)
class Environment:
    """Where a measurement ran."""

    versions: dict[str, str]
    commit: str | None  # of the slth checkout, with "+" if it had changes; None for an installed package
    cpu: str
    threads: int


@dataclass(frozen=True, slots=True)
class Record:
    """One measurement. `question` names what was asked, so equal questions can be found and compared."""

    kind: str  # "construct", "evaluate", ...
    asked: dict[str, Any]
    outcome: dict[str, Any]
    seconds: dict[str, float]
    environment: Environment = field(default_factory=lambda: environment())

    @property
    def question(self) -> str:
        """SHA-256 of kind and what was asked, as canonical JSON."""
        return hashlib.sha256(_canonical({"kind": self.kind, "asked": self.asked}).encode()).hexdigest()

    def as_json(self) -> str:
        """One line of JSON; not-a-number is refused."""
        return _canonical({"question": self.question, **asdict(self)})


def append(path: str | Path, record: Record) -> Path:
    """Add a record to a JSON lines file, whole or not at all."""
    return append_line(path, record.as_json())


def read(path: str | Path) -> Iterator[Record]:
    """The records of a JSON lines file.

    Raises:
        InputError: naming the line that is no record.
    """
    check_readable(path)
    try:
        lines = Path(path).read_bytes().splitlines()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    for number, line in enumerate(lines, 1):
        try:
            data = json.loads(line)
            where = Environment(**data["environment"])
            parts = (data["kind"], data["asked"], data["outcome"], data["seconds"])
            if not _has_types(*parts, where):
                raise TypeError("a part of the record is of another type")
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise InputError(f"{path}, line {number} is not a record of slth; remove the line") from error
        yield Record(*parts, where)


def environment(threads: int = 1) -> Environment:
    """This process: package versions, commit, processor, threads."""
    versions = {"python": platform.python_version()}
    for package in _PACKAGES:
        if package == "slth" or package in sys.modules:
            try:
                versions[package] = version(package)
            except PackageNotFoundError:  # run from a source tree that is not installed
                versions[package] = "unknown"
    return Environment(versions=versions, commit=_commit(), cpu=_cpu(), threads=threads)


def _has_types(kind: object, asked: object, outcome: object, seconds: Any, where: Environment) -> bool:
    """JSON may put anything anywhere."""
    if not all(isinstance(part, dict) for part in (asked, outcome, seconds, where.versions)):
        return False
    texts = (kind, where.cpu, where.commit or "", *where.versions.values())
    return (
        all(isinstance(text, str) for text in texts)
        and is_whole(where.threads)
        and all(is_real(value) for value in seconds.values())
    )


def _commit() -> str | None:
    here = Path(__file__).resolve().parent
    root = next((folder for folder in here.parents if (folder / ".git").exists()), None)
    if root is None or not (root / "src" / "slth").is_dir():
        return None
    try:
        ask = ["git", "-C", str(root), "describe", "--always", "--abbrev=12", "--exclude=*", "--dirty=+"]
        answer = subprocess.run(ask, capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() or None


def _cpu() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _canonical(data: Mapping[str, Any]) -> str:
    return json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False)
