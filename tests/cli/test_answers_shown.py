"""What stands beside the sessions of an answer: memories, corrections, the newest, a language."""

from helpers.mem_process import Mem
from helpers.small_exports import THE_20TH, talk


def filled(folder, *talks):
    mem = Mem(folder)
    mem.remembers(*talks)
    return mem


def test_a_memory_of_ones_own_answers_at_once_above_the_sessions(tmp_path):
    mem = filled(tmp_path, talk("Border", "me: The passport control took an hour."))
    mem("memories", "add", "passport", "It lies in the blue drawer")

    shown = mem("ask", "where", "is", "my", "passport")

    first, *others = shown.out.splitlines()
    assert first.startswith("memory  passport: It lies in the blue drawer  ")
    assert "by you, m_" in first
    assert any("Border" in line for line in others)
    [memory] = mem("ask", "where is my passport", "--json").json["memories"]
    assert (memory["key"], memory["by"], memory["superseded_by"]) == ("passport", "you", None)
    assert [one["text"] for one in memory["sources"]] == ["It lies in the blue drawer"]


def test_what_a_memory_superseded_stands_below_it_and_is_marked(tmp_path):
    mem = filled(tmp_path, talk("Other", "me: nothing to see"))
    mem("memories", "add", "wifi password", "tulip-3")
    mem("memories", "add", "wifi password", "fern-77")

    lines = [one for one in mem("ask", "wifi password").out.splitlines() if "memory  " in one]

    assert ["fern-77" in lines[0], "tulip-3" in lines[1]] == [True, True]
    assert ["superseded" in line for line in lines] == [False, True]


def test_a_memory_about_something_else_is_not_shown(tmp_path):
    mem = filled(tmp_path, talk("Tea", "me: We drank green tea."))
    mem("memories", "add", "passport", "It lies in the blue drawer")

    document = mem("search", "green tea", "--json").json

    assert (document["verdict"], document["memories"]) == ("found", [])


def test_a_memory_is_not_shown_where_filters_leave_out_its_source(tmp_path):
    mem = filled(tmp_path, talk("Tea", "me: We drank green tea."))
    mem("memories", "add", "tea", "Likes green tea")

    found = mem("search", "green tea", "--source", "generic", "--json").json["memories"]

    assert found == []


def test_a_secret_in_a_memory_is_masked_where_text_leaves(tmp_path):
    mem = filled(tmp_path, talk("Tea", "me: We drank green tea."))
    key = "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a"
    mem("memories", "add", "deploy token", f"The token is {key}")

    masked = mem("search", "deploy token", "--json", "--redact").out

    assert key in mem("search", "deploy token", "--json").out
    assert '"memories": [{"id": "m_' in masked
    assert key not in masked


def test_a_corrected_word_is_named(tmp_path):
    mem = filled(tmp_path, talk("Visit", "me: The allergist wants to see me on Tuesday."))

    shown = mem("search", "appointment with the alergist on tuesday")

    assert "searched for `allergist` instead of `alergist`" in shown.err
    corrections = mem("search", "appointment with the alergist on tuesday", "--json").json
    assert corrections["corrections"] == [{"typed": "alergist", "searched": "allergist"}]


def test_a_phrase_that_no_session_has_is_named(tmp_path):
    mem = filled(tmp_path, talk("Tea", "me: green tea"))

    shown = mem("ask", 'who has "purple tea"')

    assert shown.code == 3
    assert "no session has the phrase `purple tea`" in shown.err


def test_of_several_values_the_newest_is_named(tmp_path):
    mem = filled(
        tmp_path,
        talk("First", "me: The wifi password is tulip-3."),
        talk("Second", "me: The wifi password is fern-77.", at=THE_20TH),
    )

    sessions = mem("ask", "what is the wifi password now", "--json").json["sessions"]

    assert [one["title"] for one in sessions] == ["Second", "First"]
    assert ["the newest of 2 on this" in one["why"] for one in sessions] == [True, False]


def test_a_question_in_a_language_of_no_chat_is_told_what_connects_them(tmp_path):
    chats = [talk(f"c{n}", "me: 我的护照在蓝色的抽屉里", "ai: 好的，我记住了") for n in range(3)]
    mem = filled(tmp_path, *chats)

    shown = mem("ask", "where is my passport and what did you say")

    assert "the question is in English, and many chats are in Chinese" in shown.err
    assert "`mem index --embedder bge-m3`" in shown.err
    assert "many chats" not in mem("ask", "我的护照在哪里？").err
    assert "many chats" not in mem("ask", "where is my passport and what", "--json").err


def test_an_alias_in_the_settings_names_the_person(tmp_path):
    people = [
        {
            "id": name,
            "title": name,
            "messages": [{"role": name, "content": text}, {"role": "me", "content": "thanks"}],
        }
        for name, text in (("Margarethe", "The lake was cold."), ("Joan", "I swam in the lake."))
    ]
    mem = filled(tmp_path, *people)
    mem("config", "set", "people.Margarethe", "Oma")

    sessions = mem("ask", "what did Oma say about the lake", "--json").json["sessions"]

    assert sessions[0]["title"] == "Margarethe"
    assert "a chat with Margarethe" in sessions[0]["why"]
