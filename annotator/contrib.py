"""What the foundation itself contributes to the site: navigation and job kinds."""

from __future__ import annotations

from annotator.contributions import NavigationEntry, site


def register() -> None:
    """Called once in `AppConfig.ready`."""
    site.navigation += [
        NavigationEntry("project", "Project", "project", "project.progress", 0),
        NavigationEntry("items", "Items", "items", "items.list", 10),
        NavigationEntry("schema", "Schema", "schema", "schema.publish", 20),
        NavigationEntry("releases", "Releases", "releases", "releases.read", 80),
        NavigationEntry("members", "Members and access", "members", "members.read", 90),
        NavigationEntry("events", "Events", "events", "events.read", 95),
    ]
    from annotator.actions import job_kinds

    job_kinds.register()
