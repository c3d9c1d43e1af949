"""Text output: results for terminals, pipes and documents. Read `console` first.

console           stdout and stderr, JSON lines, characters that are safe to print
numbers           counts, sizes and durations as people read them
session_view      rankings and lists of sessions
session_text      one session, turn by turn, in a pager if it is long
memory_view       memories
statistics_view   the counts of `mem stats`
settings_view     the settings of `mem config`
import_view       the report of an import
reading_view      the report of `mem read`, and a model's reasons
markdown_csv      Markdown and CSV
export_lines      the whole database as JSON lines
answer_printer    a ranking and its answer, in the format that was chosen
answer_stream     an answer while it is written
live_view         a ranking that improves while the stages run
progress          bars on a terminal, or lines in a log
charts            people and time
styling           texts with styles, and references that a terminal can open
"""
