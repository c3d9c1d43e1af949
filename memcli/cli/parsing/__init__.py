"""The words after `mem`: the parameters that exist, and their values. Read `parameters` first.

parameters    the parameters of a command, as values
parse_words   the parser of right usage, which needs no library
typer_groups  the commands as Typer needs them, for help and for errors
"""
