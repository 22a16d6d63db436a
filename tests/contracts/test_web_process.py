"""What a web process loads: a fresh process calls every route once on real objects, then lists its modules.

The demo is made first, in a process of its own: routes then find projects, items and seats, and go deep.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.browser.running import demo_once
from tests.template import RUN

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("torch", "scipy", "sklearn", "skimage", "cv2", "onnxruntime", "pydicom", "highdicom", "pandas")
RESIDENT_LIMIT_MIB = 130

# What the fixtures of this module make costs seconds: once, so one process runs all its tests.
pytestmark = pytest.mark.xdist_group("web process")

PROBE = r"""
import json, os, sys
from annotator.site.asgi import application  # what the server imports
def resident():
    for line in open("/proc/self/status"):
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0
idle = resident()
from django.apps import apps
from django.test import Client
from django.urls import URLResolver, get_resolver
from django.conf import settings
settings.ALLOWED_HOSTS = ["testserver"]
from annotator.models import Account


METHODS = ("GET", "POST", "PATCH", "PUT", "DELETE")

def first(name):
    for app in ("annotator", "review", "prelabel"):
        for model in apps.get_app_config(app).get_models():
            if model.__name__.lower() in (name, name + "version"):
                found = model.objects.order_by("pk").first()
                if found is not None:
                    return getattr(found, "public_id", None) or str(found.pk)
    known = {"stage": "label", "digest": "0" * 64, "name": "manifest.json", "invitation": 1}
    return known.get(name, "absent")

def routes(patterns, prefix=""):
    for one in patterns:
        if isinstance(one, URLResolver):
            yield from routes(one.url_patterns, prefix + str(one.pattern))
        else:
            view = getattr(one.callback, "view_class", getattr(one.callback, "cls", None))
            methods = [m for m in METHODS if view is None or hasattr(view, m.lower())]
            yield prefix + str(one.pattern), one.pattern.converters, methods

clients = {}
for username in ("lead", "ann1"):
    clients[username] = Client(raise_request_exception=False)
    clients[username].force_login(Account.objects.get(username=username))
project = first("project")
as_json = {"content_type": "application/json"}
claimed = clients["ann1"].post(f"/api/projects/{project}/claims", '{"stage": "label"}', **as_json)
seen, broken = {}, []
if claimed.status_code != 201:
    broken.append(f"claim answered {claimed.status_code}: {claimed.content[:300]}")
listed = list(routes(get_resolver().url_patterns))
for method in METHODS:
    for pattern, converters, methods in listed:
        if method not in methods:
            continue
        path = "/" + pattern
        for name in converters:
            kind = type(converters[name]).__name__.removesuffix("Converter").lower()
            for form in (f"<{name}>", f"<{kind if kind != 'string' else 'str'}:{name}>"):
                path = path.replace(form, str(first(name)))
        for username, client in clients.items():
            if method == "DELETE" and path == "/api/session" or "sign-out" in path:
                continue
            body = {} if method == "GET" else {"data": "{}", **as_json}
            answer = getattr(client, method.lower())(path, HTTP_ACCEPT="*/*", **body)
            if getattr(answer, "streaming", False):
                for _ in answer.streaming_content:
                    break
            seen[f"{answer.status_code // 100}xx"] = seen.get(f"{answer.status_code // 100}xx", 0) + 1
            if answer.status_code == 500:
                broken.append(f"{method} {path} as {username}")
            answer.close()
import gc
from annotator.core.registry import Registry
registries = {one.package: one.ids() for one in gc.get_objects() if type(one) is Registry}
tops = {name.partition(".")[0] for name in sys.modules}
print("RESULT " + json.dumps({"tops": sorted(tops), "seen": seen, "broken": broken, "idle": idle,
    "after": resident(), "registries": registries, "routes": len(listed)}))
"""


@pytest.fixture(scope="module")
def probed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    data = tmp_path_factory.mktemp("web") / "data"
    demo = demo_once(Path(os.environ[RUN]) / "demo")
    shutil.copytree(demo, data, ignore=shutil.ignore_patterns("bell-*"))
    environment = {key: value for key, value in os.environ.items() if not key.startswith("CONCORD_")}
    environment |= {
        "CONCORD_DATA": str(data),
        "CONCORD_FAST_PASSWORDS": "1",
        "CONCORD_LOG": "ERROR",
        "DJANGO_SETTINGS_MODULE": "annotator.site.settings",
    }
    command = [sys.executable, "-c", PROBE]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    result = next(line for line in done.stdout.splitlines() if line.startswith("RESULT "))
    return json.loads(result.removeprefix("RESULT "))


def test_no_route_and_no_registry_loads_a_heavy_library(probed: dict[str, object]) -> None:
    assert not set(HEAVY) & set(probed["tops"]), "the web process must stay light"  # type: ignore[call-overload]
    assert probed["routes"] > 60  # type: ignore[operator]
    assert len(probed["registries"]) >= 3, probed["registries"]  # type: ignore[arg-type]


def test_no_route_answers_with_a_server_error(probed: dict[str, object]) -> None:
    assert not probed["broken"], probed["broken"]
    assert probed["seen"]["2xx"] > 30, probed["seen"]  # type: ignore[index]


def test_an_idle_web_process_is_small(probed: dict[str, object]) -> None:
    assert probed["idle"] < RESIDENT_LIMIT_MIB, f"{probed['idle']} MiB"  # type: ignore[operator]
