"""What every page's template knows: the reader, language, theme, and where the built files lie."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from annotator.pages.words import script_catalogue

LANGUAGES = (("en", "English"), ("zh-hans", "简体中文"))
THEMES = ("light", "dark", "contrast")


@lru_cache(maxsize=64)
def _digest(path: str, mtime_ns: int, size: int) -> str:
    return sha256(Path(path).read_bytes()).hexdigest()[:12]


def built(name: str) -> str:
    """The address of a built file with a piece of its digest: a new build is never mixed with an old one."""
    path = Path(settings.STATIC_ROOT) / name
    try:
        about = path.stat()
    except OSError:
        return f"/{settings.STATIC_URL.strip('/')}/{name}"
    return (
        f"/{settings.STATIC_URL.strip('/')}/{name}?v={_digest(str(path), about.st_mtime_ns, about.st_size)}"
    )


def site(request: HttpRequest) -> dict[str, Any]:
    """Context processor. `theme` is empty when the system decides."""
    user = getattr(request, "user", None)
    signed_in = bool(user is not None and user.is_authenticated)
    theme = user.theme if signed_in else request.COOKIES.get("concord_theme", "")  # type: ignore[union-attr]
    return {
        "reader": user if signed_in else None,
        "theme": theme if theme in THEMES else "",
        "catalogue": script_catalogue(getattr(request, "LANGUAGE_CODE", "en")),
        "icon": built("icon.svg"),
        "pages_js": built("pages.js"),
        "pages_css": built("pages.css"),
        "bench_js": built("bench.js"),
        "bench_css": built("bench.css"),
    }
