"""Reads of the wing that prelabels; they never write."""
