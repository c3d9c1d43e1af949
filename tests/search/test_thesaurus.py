"""Other words for what a question asks about: what is found, and what a person sees of it."""

import json
import re
from contextlib import ExitStack
from pathlib import Path

import pytest
from helpers.builders import talk
from helpers.keyword_models import WordEmbedder

import memcli
from memcli.ingest.import_conversations import ConversationImporter
from memcli.ingest.import_counts import ImportTally
from memcli.lazy_dataclasses import replace
from memcli.search.query import SignalWeights
from memcli.search.question.thesaurus import ENGLISH, MARKERS, find_related_words
from memcli.search.retrieve import retrieve
from memcli.store import Filters, Store

FOLDER = Path(memcli.__file__).parent / "thesaurus"
LANGUAGES = [ENGLISH, *MARKERS]
FILES = {name: (FOLDER / f"{name}.txt").read_text("utf-8").splitlines() for name in LANGUAGES}
CONCEPTS = (FOLDER / "concepts.txt").read_text("utf-8").splitlines()
NAMES = [line.split(" ", 1)[0] for line in CONCEPTS]
BROADER = {
    line.split(" ", 1)[0]: line.split(" ~ ")[0].split(" < ")[1].split(", ")
    for line in CONCEPTS
    if " < " in line
}
RELATED = {
    line.split(" ", 1)[0]: line.split(" ~ ")[1].split(", ") for line in CONCEPTS if " ~ " in line
}


def related(question, languages=(ENGLISH,)):
    """Return the related words of each part of a question that the thesaurus has."""
    return {
        question[one.start : one.end]: {
            *one.same,
            *one.narrower,
            *one.foreign,
            *one.foreign_narrower,
        }
        for one in find_related_words(question, languages)
    }


# The words.


def test_every_concept_has_one_name_and_words():
    name = "[a-z0-9-]+"
    names = f"{name}(?:, {name})*"
    for line in CONCEPTS:
        assert re.fullmatch(f"{name}(?: < {names})?(?: ~ {names})?", line), line
    assert len(NAMES) == len(set(NAMES)) >= 2900
    assert {line.split(" | ")[0] for lines in FILES.values() for line in lines} == set(NAMES)


def test_the_broader_and_the_related_concepts_exist():
    assert {name for names in BROADER.values() for name in names} <= set(NAMES)
    assert {name for names in RELATED.values() for name in names} <= set(NAMES)


def test_no_concept_is_below_or_related_to_itself():
    def above(name, below):
        assert name not in below
        for broader in BROADER.get(name, ()):
            above(broader, (*below, name))

    for name in BROADER:
        above(name, ())
    assert [name for name, names in RELATED.items() if name in names] == []


def test_every_line_of_a_language_has_the_words_of_one_concept():
    word = r"[^\s|,<>~*]+(?: [^\s|,<>~*]+)*\*?"
    for name, lines in FILES.items():
        assert [
            line for line in lines if not re.fullmatch(rf"\S+ \| {word}(?:, {word})*", line)
        ] == []
        concepts = [line.split(" | ")[0] for line in lines]
        assert len(concepts) == len(set(concepts)), name
        for line in lines:
            words = line.split(" | ")[1].split(", ")
            assert len(words) == len(set(words)), (name, line)


def test_a_beginning_is_long_enough_to_mean_one_thing():
    for name, lines in FILES.items():
        least = 3 if name in ("ru", "ko") else 4
        for line in lines:
            beginnings = [word[:-1] for word in line.split(" | ")[1].split(", ") if word[-1] == "*"]
            assert all(len(word) >= least for word in beginnings), (name, line)
            assert not (beginnings and name in ("zh", "ja")), (name, line)


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


def test_what_belongs_to_a_thing_is_related():
    [dentist] = find_related_words("dentist", (ENGLISH,))
    related = {word for words in dentist.related for word in words}

    assert "toothache" in related
    assert not related & {*dentist.same, *dentist.narrower}


def test_a_mistyped_word_is_taken_for_the_one_a_slip_away():
    [password] = find_related_words("pasword", (ENGLISH,), ["pasword"])

    assert (password.corrected, password.start, password.end) == ("password", 0, 7)
    assert find_related_words("pasword", (ENGLISH,)) == []  # a word that somebody uses


@pytest.mark.parametrize(
    ("question", "word", "corrected"),
    [
        ("Was kostet die Miete jetzt?", "miete", ""),  # all its small words are English, too
        ("Miete Lissabon", "miete", ""),
        ("what was the pasword", "pasword", "password"),
        ("who is the alergist", "alergist", "allergist"),  # not of the Polish alergi*
        ("pasword", "pasword", "password"),
    ],
)
def test_a_foreign_word_is_not_taken_for_a_mistyped_one(question, word, corrected):
    [found] = [
        one
        for one in find_related_words(question, (ENGLISH,), [word])
        if question[one.start : one.end].lower() == word
    ]

    assert found.corrected == corrected


def test_a_word_of_another_language_in_an_english_question_is_not_looked_up():
    assert "Hochzeit" not in related("Where is the Hochzeit?", (ENGLISH,))
    assert "Hochzeit" in related("Where is the Hochzeit?", (ENGLISH, "de"))
    assert "Hochzeit" in related("Hochzeit", (ENGLISH,))


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


@pytest.mark.parametrize(
    ("question", "languages", "own", "foreign"),
    [
        ("Where is my pet?", (ENGLISH, "de", "zh"), {"house pet", "haustier*"}, "宠物"),
        ("Wo ist mein Haustier?", (ENGLISH, "de", "ja"), {"pet", "haustier*"}, "ペット"),
        ("我的宠物在哪里？", (ENGLISH, "zh"), {"宠物"}, "house pet"),
        ("Где моя кошка?", (ENGLISH, "ru"), {"кот"}, "feline"),
    ],
)
def test_words_in_another_script_than_the_question_are_foreign(question, languages, own, foreign):
    [found] = find_related_words(question, languages)

    assert own <= set(found.same)
    assert foreign in found.foreign
    assert not {*found.same, *found.narrower} & {*found.foreign, *found.foreign_narrower}


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
            archive_batch(store, talks)
            return store

        yield fill


def archive_batch(store, talks):
    ConversationImporter(store, WordEmbedder()).import_batch(talks, ImportTally())


def search(question, store):
    return retrieve(question, store, WordEmbedder(), Filters(), limit=5).candidates


PETS = talk("Pets", "me: Our kitten ate the fern.", "ai: Ferns are not poisonous.")
PAIN = talk("Pain", "me: The toothache is back, so Dr. Berg it is.", "ai: Get well soon.")
OTHER = talk("Taxes", "me: The tax return is due in May.", "ai: Send it early.")


def test_a_narrower_word_is_found_shown_and_said(archive):
    [first, *_] = search("Which animal is ours?", archive(PETS, OTHER))

    assert first.session.title == "Pets"
    assert "kitten" in first.terms
    assert "kitten for animal" in first.reasons
    assert first.evidence[0].position == 1


def test_what_belongs_to_a_thing_is_found_where_nobody_names_it(archive):
    [first, *_] = search("Who is my dentist?", archive(PAIN, OTHER))

    assert first.session.title == "Pain"
    assert "related to dentist: toothache" in first.reasons


def test_a_word_is_named_once_among_the_reasons(archive):
    both = talk("Advice", "me: She gave me a tip on the novel.", "ai: Good.")
    [first, *_] = search("what did she recommend to read", archive(both, OTHER))

    assert "tip for recommend" in first.reasons
    named = [
        word
        for reason in first.reasons
        if "recommend" in reason
        for word in re.split(r"[:,] | for ", reason)
    ]
    assert named.count("tip") == 1


def test_what_belongs_to_a_thing_says_less_than_its_name(archive):
    orthodontist = talk("Braces", "me: The orthodontist is in Lund.", "ai: Good.")
    found = search("Who is my dentist?", archive(PAIN, OTHER, orthodontist))

    assert [one.session.title for one in found][:2] == ["Braces", "Pain"]


def test_the_word_itself_counts_more_than_another_one(archive):
    exact = talk("Zoo", "me: Which animal did we see? A fox.", "ai: A fox.")
    titles = [one.session.title for one in search("Which animal is ours?", archive(PETS, exact))]

    assert titles[0] == "Zoo"
    assert "Pets" in titles


def test_another_language_is_found_if_chats_are_in_it(archive):
    [first, *_] = search("When is the wedding?", archive(talk("Saal", *GERMAN), OTHER))

    assert first.session.title == "Saal"
    assert "hochzeit for wedding" in first.reasons


def test_a_word_in_another_script_counts_as_much_as_the_word_itself(archive):
    store = archive(
        talk("婚礼", "me: 我们的婚礼在五月，你知道什么时候可以订吗？", "ai: 现在可以订。"),
        talk("Film", "me: The wedding in that film was long.", "ai: It was."),
        OTHER,
    )

    def share(factor):
        weights = replace(SignalWeights(), foreign=factor)
        found = retrieve(
            "When is the wedding?", store, WordEmbedder(), Filters(), limit=5, weights=weights
        )
        words = {one.session.title: one.parts["session"] for one in found.candidates}
        return words["婚礼"] / words["Film"]

    assert SignalWeights().foreign == 1
    assert share(SignalWeights().synonyms) < share(1.0)


def test_words_of_a_language_that_no_chat_is_in_are_not_looked_for(archive):
    one_word = talk("Names", "me: The band is called Hochzeit.", "ai: Nice.")

    assert all("hochzeit" not in one.terms for one in search("wedding?", archive(one_word, OTHER)))


def test_a_question_that_is_asked_again_is_not_looked_up_again(archive, monkeypatch):
    store = archive(PETS, OTHER)
    before = search("Which animal is ours?", store)
    monkeypatch.setattr("memcli.search.question.other_words.find_related_words", None)

    assert search("Which animal is ours?", store) == before


def test_a_word_that_comes_after_the_question_is_found(archive):
    store = archive(OTHER)
    assert search("Which animal is ours?", store) == []

    archive_batch(store, [PETS])

    assert search("Which animal is ours?", store)[0].session.title == "Pets"


def test_what_is_cached_for_a_question_has_only_words_of_the_archive(archive, monkeypatch):
    store, cached = archive(PETS, talk("Saal", *GERMAN)), {}
    put = store.cache.put
    monkeypatch.setattr(
        "memcli.store.tables.model_cache.ModelCache.put",
        lambda _, values: cached.update(values) or put(values),
    )

    search("Which animal is ours, and when is the wedding?", store)

    text = json.dumps(list(cached.values()))
    assert "kitten" in text
    assert "hochzeit" in text
    assert "hamster" not in text
    assert len(text) < 10_000


def test_a_damaged_cache_is_made_again(archive, monkeypatch):
    store = archive(PETS, OTHER)
    before = search("Which animal is ours?", store)
    get = store.cache.get
    monkeypatch.setattr(
        "memcli.store.tables.model_cache.ModelCache.get", lambda _, key: get(key) and [[1], 2]
    )

    assert search("Which animal is ours?", store)[0].terms == before[0].terms


def test_a_mistyped_word_finds_the_other_words_of_what_is_meant(archive):
    found = retrieve("kittne", archive(PETS, OTHER), WordEmbedder(), Filters(), limit=5)
    cat = retrieve("felien?", archive(PETS, OTHER), WordEmbedder(), Filters(), limit=5)

    assert [one.session.title for one in found.candidates] == ["Pets"]
    assert [one.session.title for one in cat.candidates] == ["Pets"]
    assert cat.corrections == {"felien": "feline"}
    assert found.candidates[0].reasons[0] == "words kitten"
    assert cat.candidates[0].reasons[0] == "kitten for feline"


def test_a_known_word_is_not_taken_for_a_misspelt_one(archive):
    store = archive(PETS, talk("Anima", "me: My anima is calm.", "ai: Good."))

    assert retrieve("felines?", store, WordEmbedder(), Filters(), limit=5).corrections == {}
