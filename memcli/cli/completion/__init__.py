"""Completion in shells, answered from a table of commands without loading Typer."""
