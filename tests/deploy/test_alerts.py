"""The alert rules: each fires for what it is about, not for a healthy installation, and is explained."""

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from tests.plugins.environment import ROOT
from tests.plugins.servers import needing_servers
from tests.servers.process import find_program
from tests.servers.prometheus import RULES, alert_rules

PARTS = ("database", "storage", "broker", "workers", "engine", "installation")
RESPONSES = "django_http_responses_total_by_status_view_method_total"
LATENCIES = "django_http_requests_latency_seconds_by_view_method_bucket"
ENGINE = 'engine="portrait"'
HERE = f'{ENGINE}, where="here"'

Series = Mapping[str, str]
"""Values of each minute, in promtool's notation."""

HEALTHY: Series = {
    'up{job="zhiying-web", instance="web:8000"}': "1x120",
    'up{job="zhiying-worker", instance="worker:9101"}': "1x120",
    **{f'zhiying_part_up{{part="{part}"}}': "1x120" for part in PARTS},
    'zhiying_workers{state="ready"}': "2x120",
    'zhiying_workers{state="paused"}': "0x120",
    'zhiying_workers{state="stopping"}': "1x120",
    f'zhiying_queue_items{{{ENGINE}, status="pending"}}': "40x120",
    f'zhiying_queue_items{{{ENGINE}, status="processing"}}': "4x120",
    f"zhiying_queue_oldest_seconds{{{ENGINE}}}": "600x120",
    'zhiying_trouble_total{part="storage"}': "0+1x120",
    'zhiying_sweep_repairs_total{kind="items_taken_back"}': "0x119 1",
    f'zhiying_renders_total{{{ENGINE}, outcome="completed"}}': "0+10x120",
    f'zhiying_renders_total{{{ENGINE}, outcome="failed"}}': "0+1x120",
    f'zhiying_render_seconds_bucket{{{HERE}, le="60"}}': "0+10x120",
    f'zhiying_render_seconds_bucket{{{HERE}, le="1200"}}': "0+10x120",
    f'zhiying_render_seconds_bucket{{{HERE}, le="+Inf"}}': "0+10x120",
    'zhiying_render_seconds_bucket{engine="comfyui", where="elsewhere", le="1800"}': "0x120",
    'zhiying_render_seconds_bucket{engine="comfyui", where="elsewhere", le="+Inf"}': "0+10x120",
    f'{RESPONSES}{{view="api/x", method="GET", status="200"}}': "0+100x120",
    f'{RESPONSES}{{view="api/x", method="GET", status="503"}}': "0+1x120",
    f'{LATENCIES}{{view="api/x", method="GET", le="0.1"}}': "0+100x120",
    f'{LATENCIES}{{view="api/x", method="GET", le="10.0"}}': "0+100x120",
    f'{LATENCIES}{{view="api/x", method="GET", le="+Inf"}}': "0+100x120",
    f'{LATENCIES}{{view="api/video/batch", method="POST", le="10.0"}}': "0x120",
    f'{LATENCIES}{{view="api/video/batch", method="POST", le="+Inf"}}': "0+10x120",
}
"""Busy, with some failures, one worker lost and one stopping; jobs elsewhere wait long at their server."""

TROUBLES: Mapping[str, Series] = {
    "WebDown": {'up{job="zhiying-web", instance="web:8000"}': "1x59 0x60"},
    "WebUnknown": {'up{job="zhiying-web", instance="web:8000"}': "1x59 _x60"},
    "DatabaseAway": {'zhiying_part_up{part="database"}': "1x59 0x60"},
    "StorageAway": {'zhiying_part_up{part="storage"}': "1x59 0x60"},
    "BrokerAway": {'zhiying_part_up{part="broker"}': "1x59 0x60"},
    "StoreOfAnotherInstallation": {'zhiying_part_up{part="installation"}': "1x59 0x60"},
    "EngineNotReady": {'zhiying_part_up{part="engine"}': "1x59 0x60"},
    "TroubleAgainAndAgain": {'zhiying_trouble_total{part="storage"}': "0x59 0+5x60"},
    "NoWorkers": {'zhiying_workers{state="ready"}': "2x59 0x60"},
    "FewerWorkers": {'zhiying_workers{state="ready"}': "2x59 1x60"},
    "WorkersPaused": {'zhiying_workers{state="paused"}': "0x59 1x60"},
    "WorkerNotScraped": {'up{job="zhiying-worker", instance="worker:9101"}': "1x59 0x60"},
    "WorkersDie": {'zhiying_sweep_repairs_total{kind="items_taken_back"}': "0x59 1+1x60"},
    "QueueStands": {f'zhiying_queue_items{{{ENGINE}, status="processing"}}': "4x59 0x60"},
    "QueueOld": {f"zhiying_queue_oldest_seconds{{{ENGINE}}}": "600x59 1860+60x60"},
    "RendersFail": {f'zhiying_renders_total{{{ENGINE}, outcome="failed"}}': "0x59 0+5x60"},
    "RendersSlow": {
        f'zhiying_render_seconds_bucket{{{HERE}, le="60"}}': "0+10x59 590x60",
    },
    "ServerFaults": {f'{RESPONSES}{{view="api/y", method="GET", status="500"}}': "_x60 1x60"},
    "AnswersSlow": {f'{LATENCIES}{{view="api/x", method="GET", le="0.1"}}': "0+100x59 5900x60"},
}
"""What an hour of health turns into, by the alert that has to fire: that one and no other."""

LONGEST = {"ServerFaults": 5}
"""Minutes after the beginning at which an alert has to fire; 45 for those that are not named."""


def promtool(*words: str) -> "subprocess.CompletedProcess[str]":
    with needing_servers():
        program = find_program("promtool")
    return subprocess.run([str(program), *words], capture_output=True, text=True, timeout=120, check=False)


def firing(folder: Path, expected: Mapping[int, list[str]], *, values: Series, by: str = "alertname") -> str:
    """What promtool has to say against these alerts firing at these minutes; empty when they do.

    By another label than their names it is one of each value that has to fire.
    """
    test = {
        "rule_files": [str(RULES / "alerts.yml")],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": values} for name, values in values.items()],
                "promql_expr_test": [
                    {
                        "expr": f'count by ({by}) (ALERTS{{alertstate="firing"}})',
                        "eval_time": f"{minute}m",
                        "exp_samples": [{"labels": f'{{{by}="{name}"}}', "value": 1} for name in names],
                    }
                    for minute, names in expected.items()
                ],
            }
        ],
    }
    path = folder / "test.yml"
    path.write_text(yaml.safe_dump(test))
    result = promtool("test", "rules", str(path))
    return "" if result.returncode == 0 else result.stdout + result.stderr


def test_rules_and_the_example_are_well_formed(tmp_path: Path) -> None:
    for name in ("prometheus.yml", "alerts.yml"):
        (tmp_path / name).write_text((RULES / name).read_text())
    (tmp_path / "token").write_text("token")
    result = promtool("check", "config", str(tmp_path / "prometheus.yml"))
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_busy_and_healthy_installation_raises_no_alert(tmp_path: Path) -> None:
    assert firing(tmp_path, {30: [], 90: [], 119: []}, values=HEALTHY) == ""


@pytest.mark.parametrize("alert", TROUBLES)
def test_an_alert_fires_for_what_it_is_about_and_not_before(tmp_path: Path, alert: str) -> None:
    values = {**HEALTHY, **TROUBLES[alert]}
    assert firing(tmp_path, {59: [], 60 + LONGEST.get(alert, 45): [alert]}, values=values) == ""


@pytest.mark.parametrize(
    "ready",
    [
        pytest.param("2x60 4x2 2x57", id="killed ones and their successors"),
        pytest.param("2x60 1x2 2x57", id="a restart"),
        pytest.param("2x60 8x57", id="more than before"),
    ],
)
def test_workers_that_are_replaced_are_no_fewer(tmp_path: Path, ready: str) -> None:
    values = {**HEALTHY, 'zhiying_workers{state="ready"}': ready}
    expected: dict[int, list[str]] = {minute: [] for minute in range(60, 118)}
    assert firing(tmp_path, expected, values=values) == ""


def test_workers_that_were_taken_away_are_missed_for_an_hour(tmp_path: Path) -> None:
    values = {**HEALTHY, 'zhiying_workers{state="ready"}': "8x20 6x100"}
    assert firing(tmp_path, {19: [], 30: ["FewerWorkers"], 90: []}, values=values) == ""


def test_which_web_server_cannot_reach_the_database_is_told(tmp_path: Path) -> None:
    """Whether one says so or all do leads to the network of one or to the database."""
    part = 'zhiying_part_up{{part="database", instance="{}"}}'
    values = {**HEALTHY, part.format("a"): "1x59 0x60", part.format("b"): "1x120", part.format("c"): "0x120"}
    assert firing(tmp_path, {59: ["c"], 90: ["a", "c"]}, values=values, by="instance") == ""


def faults(server: str, method: str = "GET") -> str:
    return f'{RESPONSES}{{instance="{server}", view="api/y", method="{method}", status="500"}}'


@pytest.mark.parametrize(
    "values",
    [
        {faults("a"): "1x120", faults("b"): "_x60 1x60"},
        {faults("a"): "1x120", faults("a", "POST"): "_x60 1x60"},
        {faults("a"): "7x30 _x29 1x60"},
    ],
    ids=["another server", "another method", "after a restart"],
)
def test_a_first_fault_is_told_though_there_were_others(tmp_path: Path, values: Series) -> None:
    """Of the same route: on another server, by another method, before a restart that began counting anew."""
    expected: dict[int, list[str]] = {59: [], 65: ["ServerFaults"], 80: []}
    assert firing(tmp_path, expected, values={**HEALTHY, **values}) == ""


def test_faults_that_were_told_are_no_new_ones_after_a_gap(tmp_path: Path) -> None:
    gap = {faults("a"): "7x40 _x29 7x50"}
    assert firing(tmp_path, {39: [], 71: [], 75: [], 85: []}, values={**HEALTHY, **gap}) == ""


def test_every_alert_is_tested_and_explained() -> None:
    names = [rule["alert"] for rule in alert_rules()]
    assert sorted(names) == sorted(TROUBLES)
    text = (ROOT / "docs" / "operations.md").read_text()
    explained = re.findall(r"^\*\*(\w+)\.\*\* .{60,}", text, re.MULTILINE)
    assert [name for name in names if name not in explained] == []
    for rule in alert_rules():
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert rule["annotations"]["summary"].endswith(".")
