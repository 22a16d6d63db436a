"""Routes of this wing's pages."""

from __future__ import annotations

from prelabel.pages.rules import urlpatterns

__all__ = ["urlpatterns"]
