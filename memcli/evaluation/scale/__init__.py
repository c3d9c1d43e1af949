"""The cost of every command on an archive of any size. Read `measure` first.

measure    the commands, one after another, on one generated archive
report     the report, and an earlier one that it is compared with
processes  processor time and memory of a child process
floors     what Python, SQLite and `cp` need for the same
archive    generated exports of several sources
languages  generated languages with words as frequent as in real ones

Measured in processor seconds on two cores with a load of ten, which makes them more than they are
on a quiet machine, by how much is not known; the growth is what counts:

    sessions   exports   import, s a MB   search, new / again   rebuild   forget   import's memory
    1,000        10 MB        .45             .17 / .14            4.5      .14       177 MB
    5,000        52 MB        .39             .21 / .20             22      .20       191 MB
    20,000      203 MB        .44             .24 / .21             91      .87       233 MB
    60,000      609 MB        .42             .31 / .28              -        -       311 MB

From 1,000 sessions to 60,000, an import of a MB grows as the archive to the power of -.02, and a
search .16; a rebuild grows with 1.01, and forgetting does from 5,000 on. A search takes 38 MB, .1 s
of its time is the start of the program, and the database of 609 MB of exports has 927 MB. Another
run at 20,000 gave .37 for forgetting. On the machine alone, 20,000 sessions took .35 a MB (.30 by
the clock), a search .21 and .18, a rebuild 74, forgetting .46, `doctor` 3.7, an export 4.3 (JSON
lines) and 4.6 (Markdown). Since then, less work is done: with a load of two, before and after, a
search asked again takes .20 and .19, forgetting .48 and .37, `doctor` 3.6 and 3.0, an export 4.3
and 3.7 (JSON lines).

What is left is mostly other programs' work. Of forgetting, .23 is FTS5 looking for every word of
the session in its lists; pages a quarter as large save little of it, and a cache for all pages
nothing. Of `doctor`, 1.0 is FTS5 walking through its index and .5 SQLite's check of the file. Of a
search, .08 is SQL and .05 the start of Python and the imports; reading the file through memory
that the system maps saves nothing.

Ten times more, 200,000 sessions with 2 GB of text, follows from these slopes, and is not measured:

- Disk: 3.1 GB, and 1 GB beside them while the full text is rebuilt.
- Memory stays below 500 MB for an import and at 45 MB for a search; both work in batches.
- An import takes 900 seconds, a rebuild as long, a search .4, an export 40 or 50, `doctor` 30.
- Forgetting breaks first, at 3 to 9 seconds: FTS5 looks for a session in the list of every common
  word, and these lists grow with the archive. Next are the scan of bits, 90 MB for each question,
  and the rows of common words in the tables of full text. Shards by year would bound all three.
- The database is one person's. Models for many people are served by vLLM or SGLang, which every
  role takes as an address: `--reranker http://...`.
"""
