"""`mem browse`, driven by keys, without a terminal."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from helpers.browsing import browse
from helpers.mem_process import Mem
from helpers.small_exports import talk, whatsapp

from memcli.cli.browse import archive_search, browse_app
from memcli.cli.browse.browse_app import PAUSE
from memcli.errors import StoreError

AT = datetime(2024, 5, 3, 9, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def mem(tmp_path_factory):
    mem = Mem(tmp_path_factory.mktemp("archive"))
    mem.remembers(
        talk("Papers", "me: Where is it?", "Ann Ng: Your passport is in the drawer.", at=AT),
        talk("Border", "me: My passport was stamped.", at=AT + timedelta(days=30)),
        talk("Zebra", "me: A zebra crossed.", "ai: [bold red]Stripes[/] :smile:", at=None),
        talk("Long", *(f"me: line {at} of many" for at in range(1, 90)), "me: the kestrel flew",
             *(f"me: line {at} after it" for at in range(1, 90)), at=AT),
    )  # fmt: skip
    mem.write("WhatsApp Chat with Bo.txt", whatsapp("Bo: The ferry leaves at nine.", "Me: Good."))
    assert mem("ingest", "WhatsApp Chat with Bo.txt").code == 0
    return mem


@pytest.fixture(scope="module")
def keys(mem):
    return {one["title"]: one["id"] for one in mem("sessions", "--jsonl").lines}


def test_at_first_every_session_is_listed_the_latest_first(mem):
    async def use(browser):
        assert browser.titles[0] == "Border"
        assert browser.titles[-1] == "Zebra"
        assert "5 sessions" in browser.lines[-2]
        assert "My passport was stamped." in browser.screen

    assert browse(mem, use) is None


def test_what_is_typed_is_found_before_it_is_typed_to_its_end(mem, keys):
    async def use(browser):
        await browser.type("drawer with my passpo")
        assert browser.titles[0] == "Papers"
        assert "sessions by words and meaning" in browser.lines[-2]
        assert "why  words drawer, passport" in browser.screen
        assert ("passport", True) in [(text, style.reverse) for text, style in browser.styles]
        await browser.press("enter")

    assert browse(mem, use) == f"{keys['Papers']}:2"


def test_the_words_that_were_found_stand_beside_the_title(mem):
    async def use(browser):
        await browser.type("the drawer ")
        assert any("Papers  …passport is in the drawer." in line for line in browser.lines)

    browse(mem, use, width=140)


def test_words_on_the_command_line_begin_the_search(mem):
    async def use(browser):
        assert browser.titles == ["Zebra"]

    browse(mem, use, words="zebras")


def test_nothing_found_is_said(mem):
    async def use(browser):
        await browser.type("xylophone")
        assert browser.titles == []
        assert "nothing found" in browser.lines[-2]
        await browser.press("enter", "ctrl+o", "ctrl+y")
        assert browser.app.is_running

    assert browse(mem, use) is None


def test_arrows_choose_while_typing_and_enter_prints(mem, keys):
    async def use(browser):
        await browser.type("passport")
        other = browser.titles[1]
        await browser.press("down")
        assert browser.app.sessions.session.heading == other
        await browser.press("down", "down", "up", "enter")

    assert browse(mem, use).split(":")[0] in (keys["Papers"], keys["Border"])


def test_a_session_that_was_chosen_stays_chosen_when_better_results_come(mem):
    async def use(browser):
        await browser.type("passport")
        browser.app.sessions.move(1)
        chosen = browser.app.sessions.session.id
        browser.app._search()
        await browser.settle()
        assert browser.app.sessions.session.id == chosen

    browse(mem, use)


def test_the_transcript_is_scrolled_to_the_turn_with_the_words(mem, keys):
    async def use(browser):
        await browser.type("kestrel")
        assert "the kestrel flew" in browser.screen
        assert "line 1 of many" not in browser.screen
        await browser.press("tab", "tab", "tab", "g")
        assert "line 1 of many" in browser.screen
        assert f"{keys['Long']}:1" in browser.lines[-2]
        await browser.press("G")
        assert "line 89 after it" in browser.screen
        await browser.press("n", "N")
        assert "the kestrel flew" in browser.screen
        await browser.press("enter")

    assert browse(mem, use) == f"{keys['Long']}:90"


def test_moving_in_the_transcript_moves_the_reference(mem, keys):
    async def use(browser):
        await browser.type("kestrel")
        await browser.press("escape", "right", *["j"] * 12)
        assert f"{keys['Long']}:9" in browser.lines[-2]
        assert browser.app.pane.turn > 90

    browse(mem, use)


@pytest.mark.parametrize(
    ("filters", "titles"),
    [
        ("--source whatsapp", ["Bo"]),
        ('--speaker "ann ng"', ["Papers"]),
        ("--since 2024-06", ["Border"]),
        ("--until 2024-03", ["Bo"]),
        ("--since=2024-05..2024-05 --speaker me", ["Long", "Papers"]),
    ],
)
def test_filters_are_those_of_the_command_line(mem, filters, titles):
    async def use(browser):
        assert sorted(browser.titles) == titles
        assert browser.app.filter_input.value == filters
        if "20" in filters:
            assert "1 without a date left out" in browser.lines[-2]

    browse(mem, use, filters=filters)


def test_filters_apply_while_they_are_typed(mem):
    async def use(browser):
        await browser.press("tab")
        await browser.type("--source wha")
        assert len(browser.titles) == 0
        await browser.press("right")
        assert browser.app.filter_input.value == "--source whatsapp"
        assert browser.titles == ["Bo"]
        await browser.press("enter")
        assert browser.app.focused is browser.app.sessions

    browse(mem, use)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("--person Bo", "no such filter: --person; did you mean `--speaker`"),
        ("--since x", "not a date: `x`"),
        ("--since", "`--since` needs a value"),
        ("--speaker 'Bo", "a quotation mark has no second one"),
        ("zebra", "no such filter: zebra"),
    ],
)
def test_a_filter_that_is_not_understood_is_said_and_changes_nothing(mem, typed, said):
    async def use(browser):
        await browser.press("tab")
        await browser.type(typed)
        assert said in browser.lines[-2]
        assert len(browser.titles) == 5

    browse(mem, use, width=140)


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("--so", "--source "),
        ("--speaker B", "--speaker Bo"),
        ('--speaker "ann', '--speaker "ann Ng"'),
        ("--source generic --s", "--source generic --speaker "),
        ("--since yes", "--since yesterday"),
        ('--until "last w', '--until "last week"'),
    ],
)
def test_filters_are_completed(mem, typed, completed):
    async def use(browser):
        await browser.press("tab")
        await browser.type(typed)
        await browser.press("right")
        assert browser.app.filter_input.value == completed

    browse(mem, use)


def test_on_a_narrow_screen_list_and_transcript_change_places(mem):
    async def use(browser):
        await browser.type("passport")
        assert "Border" in browser.screen
        assert "why  words passport" not in browser.screen
        await browser.press("escape", "right")
        assert "why  words passport" in browser.screen
        assert not any(line.startswith(("> Border", "> Papers")) for line in browser.lines)
        await browser.press("left")
        assert any(line.startswith(("> Border", "> Papers")) for line in browser.lines)
        assert max(map(len, browser.lines)) <= 60

    browse(mem, use, width=60)


def test_y_copies_the_reference_and_shift_y_the_words(mem, keys):
    async def use(browser):
        await browser.type("drawer")
        await browser.press("ctrl+y")
        assert browser.app.clipboard == f"{keys['Papers']}:2"
        await browser.press("escape", "Y")
        assert browser.app.clipboard == "Your passport is in the drawer."
        await browser.press("y")
        assert browser.app.clipboard == f"{keys['Papers']}:2"
        assert "copied" in browser.lines[-2]

    browse(mem, use)


def test_letters_are_keys_in_the_panes_and_text_in_the_lines(mem):
    async def use(browser):
        await browser.type("quoyn")
        assert browser.app.words.value == "quoyn"
        await browser.press("escape", "slash")
        assert browser.app.focused is browser.app.words
        await browser.press("escape", "f")
        assert browser.app.focused is browser.app.filter_input
        await browser.press("tab", "q")
        assert not browser.app.is_running

    assert browse(mem, use) is None


def test_text_of_chats_is_neither_markup_nor_an_escape_sequence(mem, tmp_path):
    hostile = Mem(tmp_path)
    hostile.remembers(
        talk("[bold]x[/bold] \x1b[31m\x1b]0;pwned\x07title\x9b2J", "A[red]n[/]n: go [b]zebra[/b]"
             " \x1b]52;c;cHduZWQ=\x07\x07\x00 [@click=app.bell]link[/] \u202eevil\r\nnext\ttab",
             "me: Yes."),
    )  # fmt: skip

    async def use(browser):
        await browser.type("zebra")
        assert "go [b]zebra[/b]  [@click=app.bell]link[/] evil" in browser.screen
        assert "[bold]x[/bold]" in browser.screen
        shown = "".join(browser.lines)
        assert [
            one for one in shown if ord(one) < 32 or 127 <= ord(one) < 160 or one == "\u202e"
        ] == []
        await browser.press("escape", "Y")
        assert "\x1b" not in browser.app.clipboard

    browse(hostile, use, width=140)


def test_a_burst_of_keys_asks_for_meaning_once(mem, monkeypatch):
    asked = []

    def count(store, embedder, typed, filters):
        asked.append(typed)
        return archive_search.search_fully(store, embedder, typed, filters)

    monkeypatch.setattr(browse_app, "search_fully", count)
    monkeypatch.setattr(browse_app, "PAUSE", 10 * PAUSE)  # on a busy machine keys are slow

    async def use(browser):
        for letter in "passport":
            browser.app.words.insert_text_at_cursor(letter)
            await asyncio.sleep(0)
        await browser.settle()

    browse(mem, use)

    assert asked == ["passport"]


def test_words_come_first_and_meaning_after(mem):
    async def use(browser):
        await browser.type("passport")
        assert [stage for stage, _ in browser.app.stages] == ["words", "meaning"]

    browse(mem, use)


def test_a_database_that_goes_away_is_said_and_no_traceback(mem, tmp_path):
    brief = Mem(tmp_path)
    brief.remembers(talk("Zebra", "me: A zebra."))

    def damaged(*_):
        raise StoreError("mem.db is damaged", hint="`mem doctor` says what can be repaired")

    async def use(browser):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(browse_app, "search_by_words", damaged)
            await browser.type("zebra")
        assert "mem.db is damaged; `mem doctor` says what can be repaired" in browser.screen

    browse(brief, use)


def test_a_name_of_the_settings_selects_the_persons_sessions(tmp_path):
    mem = Mem(tmp_path)
    for name, text in (("Joan", "I swam in the lake."), ("Margarethe", "The lake was cold.")):
        said = [{"role": name, "content": text}, {"role": "me", "content": "thanks"}]
        mem.write(f"{name}.json", [{"id": name, "title": name, "messages": said}])
        mem("ingest", f"{name}.json")
    mem("config", "set", "people.Margarethe", "Oma")

    async def use(browser):
        await browser.settle()
        assert browser.titles[0] == "Margarethe"

    browse(mem, use, words="what did Oma say about the lake")
