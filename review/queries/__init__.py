"""Reads of the wing that judges; never write."""
