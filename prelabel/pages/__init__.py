"""The page of the wing that drafts."""
