"""The commands: one module each, named like the command.

A command turns options into values, calls one function, and prints the result. Read `search`
first, which is the shortest of those that answer questions.
"""
