"""How templates say times and numbers: relative with the absolute on hover, units, readable durations."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext

register = template.Library()


def _moment(value: Any) -> datetime | None:
    if isinstance(value, str) and value:
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            return None
    return value if isinstance(value, datetime) else None


@register.filter
def ago(value: Any) -> SafeString | str:
    """<time> with "3 min ago" or "in 2 h"; the full UTC time on hover, for the script to make it local."""
    moment = _moment(value)
    if moment is None:
        return "–"
    seconds = (timezone.now() - moment).total_seconds()
    amount = duration(abs(seconds))
    if abs(seconds) < 5:
        text = gettext("now")
    elif seconds > 0:
        text = gettext("%(amount)s ago") % {"amount": amount}
    else:
        text = gettext("in %(amount)s") % {"amount": amount}
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        moment.isoformat(),
        f"{moment:%Y-%m-%d %H:%M:%S} UTC",
        text,
    )


@register.filter
def duration(seconds: Any) -> str:
    """A length of time in the reader's words, one unit; seconds below two minutes."""
    if seconds is None or seconds == "":
        return "–"
    n = float(seconds)
    if n < 120:
        return gettext("%(n)d s") % {"n": round(n)}
    if n < 7200:
        return gettext("%(n)d min") % {"n": round(n / 60)}
    if n < 172800:
        return gettext("%(n)d h") % {"n": round(n / 3600)}
    days = round(n / 86400)
    return ngettext("%(n)d day", "%(n)d days", days) % {"n": days}


@register.filter
def count(value: Any) -> str:
    """A whole number with thin groups of three: 12 345."""
    if value is None or value == "":
        return "–"
    return f"{int(value):,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


@register.filter
def size(value: Any) -> str:
    """Bytes as B, kB, MB, GB (powers of 1000)."""
    n = float(value or 0)
    for unit in ("B", "kB", "MB"):
        if n < 1000:
            return f"{n:.0f} {unit}" if unit == "B" or n >= 100 else f"{n:.1f} {unit}"
        n /= 1000
    return f"{n:.1f} GB"


@register.filter
def get(mapping: Any, key: Any) -> Any:
    """mapping[key], or nothing."""
    return mapping.get(key, "") if hasattr(mapping, "get") else ""


@register.filter
def percent(part: Any, whole: Any) -> int:
    """A share as a whole number of percent, 0 without a whole."""
    return min(100, round(100 * float(part or 0) / float(whole))) if whole else 0
