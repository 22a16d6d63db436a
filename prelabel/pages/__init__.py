"""The page of the wing that prelabels."""
