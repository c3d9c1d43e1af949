"""The cost of every command on an archive of any size. Read `measure` first.

measure    the commands, one after another, on one generated archive
report     the report, and its comparison with an earlier one
processes  processor time and memory of a child process
floors     what Python, SQLite and `cp` need for the same
archive    generated exports of several sources
languages  generated languages with words as frequent as in real ones

Measured with `mem bench --speed --sessions N` at N of 1,250 to 20,000, everything that grows with
the archive grows no faster than it, except where `../../CHANGES.md` says so. Ten times more than a
heavy user has, 200,000 sessions with 2 GB of text, is estimated from these slopes in `report`.
"""
