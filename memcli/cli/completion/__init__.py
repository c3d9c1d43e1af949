"""Completion by Tab. Read `complete` first.

complete       the offers for a line, read from the command table
command_table  the commands and their parameters, from `commands.json`
values         the values of options: ids, sources, people, models
shells         the scripts in `completions/`, and where each shell looks for its own
"""
