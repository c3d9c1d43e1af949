"""Help for who types: the help of `mem`, examples of every command, and suggestions.

help_text     the help of `mem` itself, from the table of commands
examples      two examples of every command; a test runs them
did_you_mean  suggestions for commands, options and values that do not exist
"""
