"""docker-compose.yml, the Dockerfile and nginx.conf agree with each other and with the settings."""

import re
import subprocess
import sys
import tempfile
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.live import clean_environment

ROOT = Path(__file__).resolve().parents[2]
COMPOSE_TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(COMPOSE_TEXT)
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = ("setup", "web", "worker")
SECRET_NAME = re.compile(r"PASSWORD|PASS$|SECRET|TOKEN|_KEY")


EXAMPLE = (ROOT / ".env.example").read_text()
INTERNAL = {"TEST_SQLITE_PATH", "TMPDIR"}


def documented() -> list[str]:
    """The variables that .env.example explains."""
    return re.findall(r"^#? ?([A-Z][A-Z0-9_]+)=", EXAMPLE, re.MULTILINE)


RECORD = """
import environ
names, read = set(), environ.FileAwareMapping.__getitem__
environ.FileAwareMapping.__getitem__ = lambda self, name: (names.add(name), read(self, name))[1]
import zhiying.settings
print(*names)
"""
DATABASES = ("", "postgresql://user:password@localhost:1/name")


@cache
def variables_of_settings() -> set[str]:
    """The variables that Django's settings ask for on either database, whatever made their names."""
    names: set[str] = set()
    with tempfile.TemporaryDirectory() as folder:
        for database in DATABASES:
            environment = clean_environment(DATA_DIR=folder, DATABASE_URL=database)
            done = subprocess.run(
                [sys.executable, "-c", RECORD],
                cwd=ROOT,
                env=environment,
                check=True,
                capture_output=True,
                text=True,
                timeout=60,
            )
            names |= set(done.stdout.split())
    return names


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_service_refers_to_exists(name: str) -> None:
    service = SERVICES[name]
    assert set(service.get("depends_on", {})) <= set(SERVICES)
    assert set(service["networks"]) <= set(COMPOSE["networks"])
    for volume in service.get("volumes", []):
        source = volume.split(":/")[0]
        if source.startswith("./"):
            assert (ROOT / source).exists()
        elif not source.startswith("$"):
            assert source in COMPOSE["volumes"]


def test_every_volume_and_network_is_used() -> None:
    mounted = {volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])}
    joined = {network for service in SERVICES.values() for network in service["networks"]}
    assert set(COMPOSE["volumes"]) <= mounted
    assert set(COMPOSE["networks"]) == joined


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_that_others_wait_for_can_say_that_it_is_ready(name: str) -> None:
    for other, how in SERVICES[name].get("depends_on", {}).items():
        if how["condition"] == "service_healthy":
            # Our own image brings its check along.
            assert "healthcheck" in SERVICES[other] or other == "web"
        else:
            assert SERVICES[other]["restart"] == "no"


def test_long_running_services_are_started_again() -> None:
    assert {name for name, service in SERVICES.items() if service["restart"] != "unless-stopped"} == {"setup"}


@pytest.mark.parametrize("name", SERVICES)
def test_no_secret_is_committed(name: str) -> None:
    for variable, value in SERVICES[name].get("environment", {}).items():
        if SECRET_NAME.search(variable):
            assert re.fullmatch(r"(\$\{\w+:[?-]\})?", value), variable
        assert not re.search(r"://\w+:(?!\$\{)[^@/]+@", str(value)), variable


def test_database_and_broker_are_reached_under_their_service_names() -> None:
    environment = SERVICES["web"]["environment"]
    hosts = [re.search(r"@(\w+):", environment[name]) for name in ("DATABASE_URL", "BROKER_URL")]
    assert [host and host[1] for host in hosts] == ["postgres", "rabbitmq"]
    assert all(host and host[1] in SERVICES for host in hosts)


def test_database_and_broker_are_not_reachable_from_outside() -> None:
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    for name in ("postgres", "rabbitmq"):
        assert SERVICES[name]["networks"] == ["inside"]
        assert "ports" not in SERVICES[name]


@pytest.mark.parametrize("name", OURS)
def test_our_services_get_only_variables_that_are_read(name: str) -> None:
    assert set(SERVICES[name]["environment"]) <= variables_of_settings()


def test_every_variable_is_documented() -> None:
    texts = [COMPOSE_TEXT, *((ROOT / "deploy" / name).read_text() for name in ("setup", "web", "worker"))]
    interpolated = {name for text in texts for name in re.findall(r"\$\{([A-Z][A-Z0-9_]+)", text)}
    assert (interpolated | variables_of_settings()) - INTERNAL - set(documented()) == set()


def test_each_variable_of_the_settings_is_explained_once() -> None:
    names = Counter(documented())
    read = variables_of_settings() - INTERNAL
    assert {"MEDIA_SIGNING_KEY_FALLBACKS", "DATABASE_LOCK_TIMEOUT_S", "METRICS_TOKEN"} <= read
    assert {name: names[name] for name in read} == dict.fromkeys(read, 1)
    assert [name for name, count in names.items() if count > 1] == []


def test_no_explanation_stands_twice() -> None:
    lines = Counter(re.findall(r"^# .+[.:]$", EXAMPLE, re.MULTILINE))
    beginnings = Counter(line[:40] for line in lines.elements() if len(line) > 40)
    assert [line for line, count in (lines + beginnings).items() if count > 1] == []


def test_the_dockerfile_copies_only_what_exists() -> None:
    ignored = set((ROOT / ".dockerignore").read_text().split())
    for line in re.findall(r"^COPY (?!--from)(.+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE):
        for source in line.split()[:-1]:
            assert source.split("/")[0] not in ignored
            if not source.startswith("frontend"):  # the web application has a folder of its own making
                assert (ROOT / source).exists(), source


def test_nginx_reads_media_where_the_application_keeps_them() -> None:
    configuration = (ROOT / "deploy" / "nginx.conf").read_text()
    data_dir = SERVICES["web"]["environment"]["DATA_DIR"]
    prefix = SERVICES["web"]["environment"]["MEDIA_ACCEL_PREFIX"]
    location = re.search(rf"location {prefix} \{{\n(.*?)\n    \}}", configuration, re.DOTALL)
    assert location
    assert "internal;" in location[1]
    assert "alias ${NGINX_MEDIA_DIR}/;" in location[1]
    assert SERVICES["nginx"]["environment"]["NGINX_MEDIA_DIR"] == f"{data_dir}/media"
    assert f"data:{data_dir}:ro" in SERVICES["nginx"]["volumes"]


def test_nginx_is_told_all_that_its_configuration_leaves_open() -> None:
    configuration = (ROOT / "deploy" / "nginx.conf").read_text()
    told = SERVICES["nginx"]["environment"]
    open_names = set(re.findall(r"\$\{([A-Z_]+)\}", configuration))
    assert open_names <= set(told)
    assert all(re.match(told["NGINX_ENVSUBST_FILTER"], name) for name in open_names)
    assert told["NGINX_UPSTREAM"].split()[0] == f"web:{SERVICES['web']['environment']['PORT']}"
    volumes = SERVICES["nginx"]["volumes"]
    assert any(volume.endswith(":/etc/nginx/templates/nginx.conf.template:ro") for volume in volumes)
    for included in re.findall(r"include (/etc/nginx/zhiying\S+);", configuration):
        assert any(volume.endswith(f":{included}:ro") for volume in volumes), included


def test_images_are_pinned_and_can_be_pinned_by_digest() -> None:
    for name, service in SERVICES.items():
        pinned = re.fullmatch(r"\$\{[A-Z]+_IMAGE:-[\w./-]+:(\d[\w.-]*)\}", service["image"])
        assert pinned, name
        assert pinned[1].count(".") >= 1, "a version, not a moving tag"
    dockerfile = (ROOT / "Dockerfile").read_text()
    for image in re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE):
        assert image.startswith("${"), image
    for default in re.findall(r"^ARG \w+_IMAGE=(\S+)", dockerfile, re.MULTILINE):
        assert re.search(r":\d+\.\d+\.\d+", default), default


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_has_limits(name: str) -> None:
    assert SERVICES[name]["mem_limit"]
    assert SERVICES[name]["pids_limit"]


def test_the_database_is_asked_where_it_only_answers_once_it_is_made() -> None:
    """The image makes it with a server that listens on its socket alone, and ends that again."""
    words = SERVICES["postgres"]["healthcheck"]["test"]
    assert words[words.index("-h") + 1] == "127.0.0.1"
