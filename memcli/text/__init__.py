"""Texts and dates, without a database or a model: cutting, sanitizing, and parsing of dates.

Begin with `chunking`: it decides the passages that are indexed and ranked.

    chunking         sessions cut into passages
    sanitize         conversations made safe for any database and terminal
    redaction        secrets masked in text that leaves the machine
    secret_patterns  the patterns of keys, tokens, passwords and numbers of cards
    secret_checks    checksums, and what else tells a secret from ordinary text
    scripts          the one table of scripts that put no spaces between words
    function_words   the words of each language that say nothing about a subject
    date_words       the one table of words for months, weekdays, numbers and spans of time
    question_dates   the days that a question names: "last summer"
    written_dates    the days that a text writes out, and those that a turn refers to
    localized_dates  dates written out in any language, in exports
    typed_periods    periods as people type them into options: `7d`, `last week`
    markdown_export  sessions written as Markdown
"""
