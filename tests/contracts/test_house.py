"""House rules that no import contract can see: strings that point upward, served sources, the demo."""

from __future__ import annotations

import ast
import itertools
import re
import subprocess
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.urls import URLPattern, URLResolver

from annotator import places

ROOT = Path(__file__).resolve().parents[2]
UPPER = ("review", "prelabel")
# Routes of the upper wings stand in these modules; annotator.site.urls, which joins all, names them.
ROUTES = ("review.api.urls", "review.pages.urls", "prelabel.api.urls", "prelabel.pages.urls")


def foundation_files() -> Iterator[Path]:
    for path in sorted((ROOT / "annotator").rglob("*.py")):
        if "site" not in path.relative_to(ROOT / "annotator").parts[:1]:
            yield path


def strings(path: Path) -> Iterator[tuple[str, int]]:
    """String constants of a file that are not documentation."""
    tree = ast.parse(path.read_text())
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.value, node.lineno


def names_of(patterns: list[URLPattern | URLResolver]) -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from names_of(pattern.url_patterns)
        elif pattern.name:
            yield pattern.name


def upper_route_names() -> set[str]:
    upper = {name for module in ROUTES for name in names_of(import_module(module).urlpatterns)}
    lower = {
        name
        for module in ("annotator.api.urls", "annotator.pages.urls")
        for name in names_of(import_module(module).urlpatterns)
    }
    assert upper, "the upper wings have routes"
    return upper - lower


def test_django_admin_is_not_installed() -> None:
    """It writes past verbs, access and events; what an operator needs has a page or a command."""
    assert not [app for app in settings.INSTALLED_APPS if "contrib.admin" in app]
    assert not apps.is_installed("django.contrib.admin")


def test_no_model_of_the_foundation_refers_to_a_wing_above() -> None:
    for model in apps.get_app_config("annotator").get_models():
        for field in model._meta.get_fields():
            if field.auto_created:  # the reverse side of a wing's own field
                continue
            related = getattr(field, "related_model", None)
            assert related is None or isinstance(related, str) or related._meta.app_label not in UPPER, field
    for model in apps.get_app_config("prelabel").get_models():
        for field in model._meta.get_fields():
            related = None if field.auto_created else getattr(field, "related_model", None)
            assert related is None or related._meta.app_label != "review", field
    for model in apps.get_app_config("review").get_models():
        for field in model._meta.get_fields():
            related = None if field.auto_created else getattr(field, "related_model", None)
            assert related is None or related._meta.app_label != "prelabel", field


def test_no_string_of_the_foundation_names_a_module_or_model_of_a_wing_above() -> None:
    modules = re.compile(
        r"^(review|prelabel)\.(actions|api|apps|contrib|core|gates|management|migrations|models|nets|pages|queries"
        r"|rules|serve|strategies|training|urls)\b"
    )
    models = {
        f"{app}.{model.__name__}".lower() for app in UPPER for model in apps.get_app_config(app).get_models()
    }
    found = [
        f"{path.relative_to(ROOT)}:{line} {text!r}"
        for path in foundation_files()
        for text, line in strings(path)
        if modules.match(text) or text.lower() in models
    ]
    assert not found, found


def test_no_page_of_the_foundation_names_a_route_of_a_wing_above() -> None:
    """Links upward are contributed by the upper wing through the registries, never written down here."""
    upper = upper_route_names()
    tag = re.compile(r"{%\s*url\s+[\"']([^\"']+)[\"']")
    call = re.compile(r"(?:reverse|redirect|reverse_lazy)\(\s*[\"']([^\"'/]+)[\"']")
    found = []
    for path in sorted(places.templates().rglob("*.html")):
        if path.relative_to(places.templates()).parts[0] in UPPER:
            continue
        text = path.read_text("utf-8")
        found += [f"{path.name}: {name}" for name in tag.findall(text) if name in upper]
        found += [
            f"{path.name}: includes {name}"
            for name in re.findall(r"[\"']((?:review|prelabel)/[^\"']+)", text)
        ]
    for path in foundation_files():
        found += [f"{path.name}: {name}" for name in call.findall(path.read_text()) if name in upper]
        found += [
            f"{path.name}:{line} renders {text!r}"
            for text, line in strings(path)
            if re.match(r"(review|prelabel)/.*\.html$", text)
        ]
    assert not found, found


def test_only_built_files_and_assets_can_be_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    roots = [Path(str(root)).resolve() for root in settings.STATICFILES_DIRS]
    allowed = {(ROOT / "static" / "dist").resolve(), (ROOT / "static" / "assets").resolve()}
    assert set(roots) <= allowed
    source = {".ts", ".tsx", ".mts", ".map", ".scss", ".py"}
    for root in roots:
        assert not [path for path in root.rglob("*") if path.suffix in source], root
    from annotator.cli import publish_static

    publish_static(tmp_path)
    published = [path for path in (tmp_path / "static").rglob("*") if path.is_file()]
    assert published, "bundles are built before the tests (concord.py test does)"
    assert not [path for path in published if path.suffix in source]


def test_publishing_static_files_follows_the_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from annotator import cli

    source, data = tmp_path / "dist", tmp_path / "data"
    (source / "deep").mkdir(parents=True)
    (source / "bench.js").write_text("x" * 2000)
    (source / "deep" / "icon.svg").write_text("<svg/>")
    monkeypatch.setattr(cli.places, "static_roots", lambda: [source])
    cli.publish_static(data)
    names = {
        path.relative_to(data / "static").as_posix()
        for path in (data / "static").rglob("*")
        if path.is_file()
    }
    assert names == {"bench.js", "bench.js.gz", "deep/icon.svg"}
    (source / "bench.js").write_text("y" * 3000)
    (source / "deep" / "icon.svg").unlink()
    cli.publish_static(data)
    names = {
        path.relative_to(data / "static").as_posix()
        for path in (data / "static").rglob("*")
        if path.is_file()
    }
    assert names == {"bench.js", "bench.js.gz"}
    assert (data / "static" / "bench.js").read_text() == "y" * 3000


def test_nothing_of_a_machine_stands_in_the_project() -> None:
    """No registry host, no path of whoever wrote it; git's own list of files is what ships."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode:
        pytest.skip("not a git checkout, so there is no list of the project's files")
    hosts = ("pypi" + ".org", "python" + "hosted", "npm" + "js.org", "npm" + "js.com", "deb." + "debian")
    paths = re.compile(r"(^|[^A-Za-z0-9_.])/(wor" + r"k|roo" + r"t)/[a-z.]")
    found = []
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if (
            not path.is_file()
            or path.suffix in {".png", ".jpg", ".mo", ".ico", ".woff2"}
            or path.stat().st_size > 2**21
        ):
            continue
        text = path.read_text("utf-8", errors="replace")
        found += [f"{name}: {host}" for host in hosts if host in text]
        found += [f"{name}: {line.strip()[:80]}" for line in text.splitlines() if paths.search(line)]
    assert not found, found


def test_every_text_file_of_the_demo_is_there_and_fits_its_schema() -> None:
    from annotator import demo

    rows = demo.messages()
    assert len(rows) >= 40 and len({row["external_key"] for row in rows}) == len(rows)
    assert {row["metadata"]["language"] for row in rows} == {"en", "zh"}
    for name in ("messages.schema.json", "pictures.schema.json"):
        schema = demo.read(name)
        hotkeys = [label["hotkey"] for label in schema["labels"]]
        hotkeys += [o["hotkey"] for control in schema["controls"] for o in control.get("options", [])]
        assert len(hotkeys) == len(set(hotkeys)), name
        assert all({"en", "zh"} <= set(label["title"]) for label in schema["labels"])


def test_the_demos_pictures_are_cut_out_of_installed_packages() -> None:
    from annotator import demo

    first = list(demo.pictures())
    assert len(first) >= 15 and all(picture.data.startswith(b"\x89PNG") for picture in first)
    again = list(itertools.islice(demo.pictures(), 2))
    assert [picture.data for picture in again] == [picture.data for picture in first[:2]], "the same bytes"
    assert not [path for path in places.demo().rglob("*") if path.suffix in {".png", ".jpg", ".gif", ".npy"}]
