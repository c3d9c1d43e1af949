"""Measurements that `mem bench` makes, and their tables."""
