"""Readers of file types that several parsers share, none of which knows a format.

Begin with `document`, the file that every reader is given, and `sample`, its head.

    document      a file of an export, and the files near it
    message_counter   counts of the messages seen, and of those omitted, by reason
    sample        the head of a file, by which formats are recognised
    values        times, unexpected JSON types, keys for messages without an id
    json_stream   JSON of any size, one value at a time; damaged JSON
    json_lines    JSON lines, with logs that are still being written
    text_lines    lines of text
    csv_rows      rows of CSV tables
    written_times dates with times as programs write them
    xml           XML elements
    html_events   HTML tags and texts
    html_elements small trees of HTML, one for each message
    html_text     HTML converted to text
    sqlite        databases of other programs
    typedstream   texts in Apple's archives
"""
