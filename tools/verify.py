"""Run the project's tests and checks stage by stage: `python tools/verify.py test|faults|check|summary`.

Every stage runs even when one before it failed, each under a heading and with its time. The exit
code is non-zero when any failed. `summary` counts the tests of the last run over all stages.
"""

import os
import secrets
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import environment

ROOT = environment.ROOT
REPORTS = ROOT / "build" / "reports"
PYTHON = sys.executable
NOTHING_COLLECTED = 5
"""pytest's exit code when no test matches."""

APPLICATIONS = ("zhiying", "accounts", "videos", "adminpanel")

PRODUCTION_ENVIRONMENT = {
    "PRODUCTION": "true",
    "SECRET_KEY": secrets.token_urlsafe(64),
    "ALLOWED_HOSTS": "video.example.com",
    "PUBLIC_URL": "https://video.example.com",
    "DATABASE_URL": "postgresql://zhiying:secret@db.example.com/zhiying",
    "BROKER_URL": "amqp://zhiying:secret@broker.example.com/%2F",
    "NUM_PROXIES": "1",
}
"""What a careful operator sets; `check --deploy` must find nothing to say about it."""


@dataclass(frozen=True)
class Stage:
    """One command with a heading."""

    name: str
    command: Sequence[str | Path]
    cwd: Path = ROOT
    variables: dict[str, str] = field(default_factory=dict)
    fine: tuple[int, ...] = (0,)


def main(arguments: list[str]) -> int:
    """Run what the command line names; returns the exit code."""
    match arguments:
        case ["test", *names]:
            shutil.rmtree(REPORTS, ignore_errors=True)
            failed = run_stages(test_stages(), names)
            failed += run_stages(test_stages_at_once(), names, at_once=2)
            if print_summary() and _in_ci():
                failed.append("skipped tests, of which CI allows none")
        case ["faults"]:
            failed = run_stages([_pytest("faults", "-m", "faults")], [])
        case ["check", *names]:
            failed = run_stages(check_stages(), names, at_once=os.cpu_count() or 1)
        case ["summary"]:
            failed = []
            print_summary()
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr, flush=True)
    return 1 if failed else 0


def _in_ci() -> bool:
    """As the tests see it: see tests/plugins/environment.py."""
    return os.environ.get("CI", "").lower() not in {"", "0", "false"}


# --- Stages ----------------------------------------------------------------------------------------


def test_stages() -> list[Stage]:
    """One after the other: on SQLite, those that need the machine to themselves, and on PostgreSQL."""
    # One more than there are cores: many tests wait for servers and processes.
    parallel = ["-n", str((os.cpu_count() or 1) + 1), "--dist", "loadscope", "--no-loadscope-reorder"]
    parallel += ["-p", "tests.plugins.order"]
    return [
        _pytest("sqlite", *parallel, "-m", "not serial and not soak and not faults"),
        _pytest("serial", "-m", "serial and not faults"),
        _pytest(
            "postgresql",
            *parallel,
            "-p",
            "tests.plugins.postgres",
            "-m",
            "postgresql and not serial and not soak and not faults",
        ),
    ]


def test_stages_at_once() -> list[Stage]:
    """The soak, which waits for what it killed half of the time, and what runs in Node."""
    stages = [_pytest("soak", "-m", "soak and not faults")]
    if _has_frontend():
        report = f"--outputFile.junit={REPORTS / 'frontend.xml'}"
        stages.append(_npm("front end", "test", "--", "--reporter=default", "--reporter=junit", report))
    return stages


def check_stages() -> list[Stage]:
    """Format, lint, types, imports, migrations, production settings, API schema, front end; longest first."""
    manage = [PYTHON, "manage.py"]
    schema = ["spectacular", "--validate", "--fail-on-warn", "--file", os.devnull]
    return [
        Stage("types", [_tool("mypy")]),
        *_frontend_check_stages(),
        Stage("format", [_tool("ruff"), "format", "--check", "."]),
        Stage("lint", [_tool("ruff"), "check", "."]),
        Stage("imports", [_tool("lint-imports")]),
        Stage("migrations", [*manage, "makemigrations", "--check", "--dry-run"]),
        Stage(
            "production settings",
            [*manage, "check", "--deploy", "--fail-level", "WARNING"],
            variables=PRODUCTION_ENVIRONMENT,
        ),
        Stage("schema", [*manage, *schema]),
        Stage("compose", _compose_command()),
    ]


def _frontend_check_stages() -> list[Stage]:
    if not _has_frontend():
        return []
    return [
        # `make frontend` has generated the types. Again, side by side, one would read what another writes.
        _npm("front end lint", "run", "--ignore-scripts", "lint"),
        _npm("front end types", "run", "--ignore-scripts", "typecheck"),
        _npm("front end format", "run", "format:check"),
    ]


def _pytest(name: str, *arguments: str) -> Stage:
    report = REPORTS / f"{name}.xml"
    command = [PYTHON, "-m", "pytest", "-q", f"--junitxml={report}", f"-ojunit_suite_name={name}"]
    return Stage(f"tests: {name}", [*command, *arguments], fine=(0, NOTHING_COLLECTED))


def _npm(name: str, *arguments: str) -> Stage:
    path = environment.node_path()
    npm = shutil.which("npm", path=path) or "npm"
    return Stage(name, [npm, *arguments], cwd=environment.FRONTEND, variables={"PATH": path})


def _compose_command() -> list[str | Path]:
    return [_tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", "docker-compose.yml"]


def _tool(name: str) -> Path:
    return Path(PYTHON).parent / name


def _has_frontend() -> bool:
    return (environment.FRONTEND / "package.json").exists()


# --- Running ---------------------------------------------------------------------------------------


def run_stages(stages: list[Stage], names: list[str], *, at_once: int = 1) -> list[str]:
    """Run the stages, or those whose names contain one of `names`; returns the names of failed ones.

    Of several at once each tells what it has to say when it is over.
    """
    REPORTS.mkdir(parents=True, exist_ok=True)
    chosen = [stage for stage in stages if not names or any(name in stage.name for name in names)]
    run = run_stage if min(at_once, len(chosen)) <= 1 else run_stage_quietly
    with ThreadPoolExecutor(at_once) as pool:
        well = list(pool.map(run, chosen))
    return [stage.name for stage, went_well in zip(chosen, well, strict=True) if not went_well]


def run_stage(stage: Stage) -> bool:
    """Run one stage; returns whether it went well."""
    print(f"\n=== {stage.name}", flush=True)
    started = time.monotonic()
    code = _run(stage, output=None).returncode
    print(_verdict(stage, code, started), flush=True)
    return code in stage.fine


def run_stage_quietly(stage: Stage) -> bool:
    """The same beside others: what it says comes in one piece."""
    started = time.monotonic()
    done = _run(stage, output=subprocess.PIPE)
    print(f"\n=== {stage.name}\n{done.stdout}{_verdict(stage, done.returncode, started)}", flush=True)
    return done.returncode in stage.fine


def _run(stage: Stage, *, output: int | None) -> "subprocess.CompletedProcess[str]":
    # Settings that are read here must neither find nor touch the developer's own data.
    private = {"DATA_DIR": str(ROOT / "build" / "verify-data")}
    variables = {**os.environ, **private, **stage.variables}
    # Hundreds of processes begin here: what each of them compiles anew costs a minute altogether.
    variables.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [str(word) for word in stage.command]
    errors = subprocess.STDOUT if output else None
    return subprocess.run(
        command, cwd=stage.cwd, env=variables, check=False, stdout=output, stderr=errors, text=True
    )


def _verdict(stage: Stage, code: int, started: float) -> str:
    result = "ok" if code in stage.fine else f"FAILED ({code})"
    return f"=== {stage.name}: {result} in {time.monotonic() - started:.0f} s"


def print_summary() -> int:
    """Print `N passed, N failed, N skipped` over the reports of all stages; how many were skipped."""
    passed = failed = skipped = 0
    for report in sorted(REPORTS.glob("*.xml")):
        # Our own test runners wrote these files; nobody else's XML is read here.
        for suite in ElementTree.parse(report).getroot().iter("testsuite"):  # noqa: S314
            counts = {name: int(suite.get(name, 0)) for name in ("tests", "failures", "errors", "skipped")}
            failed += counts["failures"] + counts["errors"]
            skipped += counts["skipped"]
            passed += counts["tests"] - counts["failures"] - counts["errors"] - counts["skipped"]
    print(f"\n{passed} passed, {failed} failed, {skipped} skipped", flush=True)
    return skipped


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
