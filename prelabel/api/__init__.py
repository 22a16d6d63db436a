"""The HTTP door of the wing that drafts."""
