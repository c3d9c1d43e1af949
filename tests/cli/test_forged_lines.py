"""Names of files and of members of zips cannot forge a line of output."""

from io import BytesIO
from zipfile import ZipFile

import pytest
from helpers.small_exports import talk

CATS = [talk("Cats", "me: A name for a cat?", "ai: Pixel.")]
FORGED = "mem: all is well"
BREAKS = ["\n", "\r", "\u2028", "\x85", "\x0b"]


@pytest.mark.parametrize("end", BREAKS)
def test_a_line_break_in_a_name_begins_no_line(mem, end):
    mem.write(f"a{end}{FORGED}{end}.json", CATS)
    mem.write(f"b{end}{FORGED}{end}.json", "no export")
    packed = BytesIO()
    with ZipFile(packed, "w") as archive:
        archive.writestr(f"c{end}{FORGED}{end}.json", '{"broken')
    mem.write("all.zip", packed.getvalue())

    for arguments in (("ingest", "."), ("sources",), ("doctor",), ("ingest", f"no{end}{FORGED}")):
        done = mem(*arguments)

        lines = (done.out + done.err).splitlines()
        assert not any(line.startswith(FORGED) for line in lines), lines


@pytest.mark.parametrize("mark", ["\u202e", "\u200f", "\u061c", "\u2067"])
def test_a_mark_of_direction_in_a_name_is_dropped(mem, mark):
    mem.write(f"a{mark}b.json", CATS)

    done = mem("ingest", f"a{mark}b.json", "missing" + mark)

    assert mark not in done.out + done.err
