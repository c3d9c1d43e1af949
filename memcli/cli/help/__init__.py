"""Help for who types: the help of `mem`, examples of every command, and suggestions.

command_names  the commands, in groups
help_text      the help of `mem` itself, from the table of commands
examples       two examples of every command; a test runs them
topics         the topics of the manual, which `mem help TOPIC` prints
versions       the versions of the parts, for reports of bugs
did_you_mean   suggestions for commands, options and values that do not exist
"""
