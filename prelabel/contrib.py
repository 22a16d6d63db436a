"""What this wing contributes to the site."""


def register() -> None:
    """Called once in `AppConfig.ready`."""
