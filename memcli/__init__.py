"""A personal memory for your conversations, on your own machine.

Read `domain` first: the values that everything passes around. The packages, from the bottom up:

    domain, errors, protocols   values, errors, and the abilities that models have
    text                        chunking, sanitizing, scripts, dates
    catalog, backends, weights  known models, the libraries that run them, their files
    formats                     a parser for every export
    store                       the database; all SQL is there
    search                      the way of a question: retrieve, rerank, sift, answer
    memories                    facts: stored, superseded, checked against their sources
    ingest, extraction          imports of conversations; reading them for memories
    evaluation                  the measurements of `mem bench`
    cli                         the commands, and the tools for agents

`demo`, `schemas` and `thesaurus` are data.

Imports point down this list, never up; `tests/test_imports.py` checks it.
"""

__version__ = "0.1.0"
RELEASED = "2026-11-21"  # the day of that version, which the manual pages print
