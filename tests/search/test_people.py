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
    ],
)
def test_a_person_is_named_by_words_of_the_name_or_its_beginning(question, people):
    assert named(question) == people


def test_every_alias_names_the_person():
    names = [("Mara", "Mausi", "M. Okonkwo"), ("林晓", "Xiaoxiao")]

    assert named("what did Mausi want", names) == {"Mara"}
    assert named("did Okonkwo write", names) == {"Mara"}
    assert named("and Xiaoxiao?", names) == {"林晓"}
    assert named("and Xiaoxiao?") == set()


def test_an_assistant_is_named_by_its_program():
    found = find_named_people("what did ChatGPT suggest", SPEAKERS, ["chatgpt"])

    assert (found.sources, found.assistant) == ({"chatgpt"}, True)
