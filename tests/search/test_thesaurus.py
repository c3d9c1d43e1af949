"""Other words for what a question asks about: what is found, and what a person sees of it."""

import re
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

import pytest
from helpers.builders import talk
from helpers.keyword_models import WordEmbedder

import memcli
from memcli.ingest.import_conversations import ConversationImporter
from memcli.ingest.import_counts import ImportTally
from memcli.search.question.thesaurus import ENGLISH, MARKERS, find_related_words
from memcli.search.retrieve import retrieve
from memcli.store import Filters, Store

LANGUAGES = [ENGLISH, *MARKERS]
FILES = sorted((Path(memcli.__file__).parent / "thesaurus").iterdir())
LINES = [line for file in FILES for line in file.read_text("utf-8").splitlines()]
BROADER = {
    line.split(" ", 1)[0]: line.split(" | ")[0].split(" < ")[1].split(", ")
    for line in LINES
    if " < " in line.split(" | ")[0]
}


def related(question, languages=(ENGLISH,)):
    """Return the related words of each part of a question that the thesaurus has."""
    return {
        question[one.start : one.end]: {*one.same, *one.narrower}
        for one in find_related_words(question, languages)
    }


# The words.


def test_every_line_is_a_concept_with_words_in_known_languages():
    word = r"[^\s|,<>*]+(?: [^\s|,<>*]+)*\*?"
    field = rf" \| (?:{'|'.join(LANGUAGES)}) {word}(?:, {word})*"
    for line in LINES:
        assert re.fullmatch(rf"[a-z0-9-]+(?: < [a-z0-9-]+(?:, [a-z0-9-]+)*)?(?:{field})+", line)


def test_a_concept_has_one_name_and_its_broader_ones_exist():
    names = [line.split(" ", 1)[0] for line in LINES]

    assert len(names) == len(set(names)) >= 2500
    assert {name for names in BROADER.values() for name in names} <= set(names)


def test_no_concept_is_below_itself():
    def above(name, below):
        assert name not in below
        for broader in BROADER.get(name, ()):
            above(broader, (*below, name))

    for name in BROADER:
        above(name, ())


def test_languages_stand_in_one_order_and_their_words_once():
    for line in LINES:
        fields = line.split(" | ")[1:]
        order = [LANGUAGES_IN_ORDER.index(field[:2]) for field in fields]
        assert all(one < other for one, other in pairwise(order))
        for field in fields:
            words = field[3:].split(", ")
            assert len(words) == len(set(words))


LANGUAGES_IN_ORDER = "en de fr es pt it nl sv pl tr ru zh ja ko".split()


def test_a_beginning_is_long_enough_to_mean_one_thing():
    for line in LINES:
        for field in line.split(" | ")[1:]:
            least = 3 if field[:2] in ("ru", "ko") else 4
            beginnings = [word[:-1] for word in field[3:].split(", ") if word.endswith("*")]
            assert all(len(word) >= least for word in beginnings), field
            assert not (beginnings and field[:2] in ("zh", "ja")), field


# What is found for a question.


def test_a_plural_and_other_forms_are_the_same_word():
    assert "feline" in related("Do we have cats?")["cats"]
    assert "purchase" in related("What have I been buying?")["buying"]
    assert "purchase" in related("Where were the shoes bought?")["bought"]


def test_a_word_of_another_kind_with_the_same_stem_is_another_word():
    assert related("Which one did we finally take?") == {}  # "finally" has the stem of "finals"


def test_a_broader_word_finds_the_narrower_ones():
    assert {"earring", "necklace"} <= related("Which jewellery is mine?")["jewellery"]
    assert "jewellery" not in related("Where is my earring?").get("earring", set())


def test_several_words_are_one():
    found = related("Who drives the station wagon to the bus stop?")

    assert "estate car" in found["station wagon"]
    assert "station" not in found


def test_small_words_have_no_others():
    assert related("Is it on, or was it off?") == {}


@pytest.mark.parametrize(
    ("question", "word", "language", "other"),
    [
        ("Whose wedding was it?", "wedding", "de", "hochzeit*"),
        ("Whose wedding was it?", "wedding", "zh", "婚礼"),
        ("Wann ist die Hochzeit?", "Hochzeit", "en", "wedding"),
        ("Wann ist die Hochzeitsfeier?", "Hochzeitsfeier", "en", "wedding"),
        ("婚礼的预算是多少？", "婚礼", "en", "wedding"),
        ("婚礼的预算是多少？", "预算", "en", "budget"),
        ("結婚式はいつですか", "結婚式", "en", "wedding"),
        ("Где моя кошка?", "кошка", "en", "cat"),
        ("Où est mon parapluie ?", "parapluie", "ko", "우산"),
        ("In welcher Straße war der Friseur?", "Straße", "en", "street"),
        ("우산을 어디에 두었어?", "우산", "en", "umbrella"),
    ],
)
def test_languages_are_connected(question, word, language, other):
    assert other in related(question, (language,))[word]


def test_a_word_of_two_languages_is_taken_for_that_of_the_question():
    assert "children" not in related("Is he kind to her?").get("kind", set())
    assert "child" in related("Wo war das Kind im Winter?")["Kind"]


def test_only_the_languages_that_are_asked_for_are_returned():
    [wedding] = find_related_words("wedding", ("de",))

    assert wedding.same
    assert "wedding" not in wedding.same


# What a search makes of it.

GERMAN = (
    "me: Die Hochzeit ist im Mai, und wir haben noch nicht alles.",
    "ai: Das ist auch nicht schlimm, ich habe noch eine Idee für den Saal.",
)


@pytest.fixture
def archive(tmp_path):
    """Return a function that fills a new archive."""
    with ExitStack() as stack:

        def fill(*talks):
            store = stack.enter_context(Store(tmp_path / "mem.db"))
            ConversationImporter(store, WordEmbedder()).import_batch(talks, ImportTally())
            return store

        yield fill


def search(question, store):
    return retrieve(question, store, WordEmbedder(), Filters(), limit=5).candidates


PETS = talk("Pets", "me: Our kitten ate the fern.", "ai: Ferns are not poisonous.")
OTHER = talk("Taxes", "me: The tax return is due in May.", "ai: Send it early.")


def test_a_narrower_word_is_found_shown_and_said(archive):
    [first, *_] = search("Which animal is ours?", archive(PETS, OTHER))

    assert first.session.title == "Pets"
    assert "kitten" in first.terms
    assert "kitten for animal" in first.reasons
    assert first.evidence[0].position == 1


def test_the_word_itself_counts_more_than_another_one(archive):
    exact = talk("Zoo", "me: Which animal did we see? A fox.", "ai: A fox.")
    titles = [one.session.title for one in search("Which animal is ours?", archive(PETS, exact))]

    assert titles[0] == "Zoo"
    assert "Pets" in titles


def test_another_language_is_found_if_chats_are_in_it(archive):
    [first, *_] = search("When is the wedding?", archive(talk("Saal", *GERMAN), OTHER))

    assert first.session.title == "Saal"
    assert "hochzeit for wedding" in first.reasons


def test_words_of_a_language_that_no_chat_is_in_are_not_looked_for(archive):
    one_word = talk("Names", "me: The band is called Hochzeit.", "ai: Nice.")

    assert all("hochzeit" not in one.terms for one in search("wedding?", archive(one_word, OTHER)))


def test_a_question_that_is_asked_again_is_not_looked_up_again(archive, monkeypatch):
    store = archive(PETS, OTHER)
    before = search("Which animal is ours?", store)
    monkeypatch.setattr("memcli.search.question.other_words.find_related_words", None)

    assert search("Which animal is ours?", store) == before


def test_a_damaged_cache_is_made_again(archive, monkeypatch):
    store = archive(PETS, OTHER)
    before = search("Which animal is ours?", store)
    get = store.cache.get
    monkeypatch.setattr(
        "memcli.store.tables.model_cache.ModelCache.get", lambda _, key: get(key) and [[1], 2]
    )

    assert search("Which animal is ours?", store)[0].terms == before[0].terms


def test_a_known_word_is_not_taken_for_a_misspelt_one(archive):
    store = archive(PETS, talk("Anima", "me: My anima is calm.", "ai: Good."))

    assert retrieve("felines?", store, WordEmbedder(), Filters(), limit=5).corrections == {}
