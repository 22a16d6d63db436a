"""The HTTP door of the wing that prelabels."""
