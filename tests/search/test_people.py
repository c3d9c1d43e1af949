"""The people whom a question names: names, aliases, nicknames, other scripts."""

import pytest

from memcli.search.question.people import find_named_people

SPEAKERS = ["Alexandra Vo", "Linda Berg", "林晓", "Mara", "user", "assistant"]


def named(question, names=()):
    return set(find_named_people(question, SPEAKERS, ["chatgpt", "whatsapp"], names).speakers)


@pytest.mark.parametrize(
    ("question", "people"),
    [
        ("what did Alexandra say", {"Alexandra Vo"}),
        ("what did Alex say", {"Alexandra Vo"}),
        ("what did alex say", set()),
        ("Alex is a nickname at the start", set()),
        ("where does Lin Xiao live", {"林晓"}),
        ("does Lin like it", {"Linda Berg"}),
        ("the Berg family", {"Linda Berg"}),
        ("The Was And", set()),
        ("about Ber", set()),
        ("what did I say", set()),
        ("what did Maras mother say", {"Mara"}),
        ("Wie alt ist Alexandras Hund?", {"Alexandra Vo"}),
    ],
)
def test_a_person_is_named_by_words_of_the_name_or_its_beginning(question, people):
    assert named(question) == people


@pytest.mark.parametrize(
    ("question", "people"),
    [
        ("What did Xiao bring?", {"林晓"}),
        ("what did xiao bring", {"林晓"}),
        ("xiaos mother", {"林晓"}),
        ("and Xiaoxiao?", {"林晓"}),
        ("What did Minsu bring?", {"김민수"}),
        ("What did Ivan bring?", {"Иван Петров"}),
        ("What did Petrov bring?", {"Иван Петров"}),
        ("how long was it", set()),  # 龙 is "long", too
        ("Was it Long?", {"王龙"}),
    ],
)
def test_a_transliterated_name_is_known_by_the_given_name(question, people):
    speakers = ["林晓", "王龙", "김민수", "Иван Петров"]

    assert set(find_named_people(question, speakers, []).speakers) == people


def test_the_word_with_a_genitive_is_the_term_that_names():
    assert find_named_people("xiaos mother", ["林晓"], []).terms == {"xiaos"}


def test_every_alias_names_the_person():
    names = [("Mara", "Mausi", "M. Okonkwo"), ("林晓", "Xiaoxiao")]

    assert named("what did Mausi want", names) == {"Mara"}
    assert named("did Okonkwo write", names) == {"Mara"}
    assert named("and Xiaoxiao?", names) == {"林晓"}


def test_an_assistant_is_named_by_its_program():
    found = find_named_people("what did ChatGPT suggest", SPEAKERS, ["chatgpt"])

    assert (found.sources, found.assistant) == ({"chatgpt"}, True)
