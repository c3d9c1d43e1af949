"""Checks that `mem doctor` makes."""
