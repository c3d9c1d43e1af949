"""The cost of every command on an archive of any size. Read `measure` first.

measure    the commands, one after another, on one generated archive
report     the report, and an earlier one that it is compared with
processes  processor time and memory of a child process
floors     what Python, SQLite and `cp` need for the same
archive    generated exports of several sources
languages  generated languages with words as frequent as in real ones

Measured at 18,113 sessions with 203 MB of exports, on two cores that others used, in processor
seconds: import .43 a MB, search .22, rebuild 87, forgetting .37, `doctor` 6.5, export 5 (JSON
lines) and 10 (Markdown); the database takes 2.0 times its text. Before the full text became
smaller, in the same run, a search took .36 and forgetting 1.17. From 2,263 sessions on, an import
of a MB grows as the archive to the power of .03, a rebuild 1.17, forgetting .81.

Ten times more, 200,000 sessions with 2 GB of text, follows from these slopes, and is not measured:

- Disk: 4 GB, and 1.2 GB beside them while the full text is rebuilt, which is one transaction.
- Memory stays at 250 MB for an import and 45 MB for a search; both work in batches.
- An import takes 1,000 seconds, a rebuild 1,600, an export 50 or 100, `doctor` a minute.
- What breaks first is the scan of bits, 90 MB for each question, and then the rows of common words
  in three full-text tables. Forgetting takes some 3 seconds: FTS5 looks for a session in the list
  of every common word, and these lists grow with the archive. Shards by year would bound all three.
- The database is one person's. Models for many people are served by vLLM or SGLang, which every
  role takes as an address: `--reranker http://...`.
"""
