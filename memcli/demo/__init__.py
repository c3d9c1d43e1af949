"""The small archive of an invented life that `mem demo` imports, in five formats.

exports/    the archive: the files as the programs write them
questions   questions to ask of it, with the phrases that answer them
"""
