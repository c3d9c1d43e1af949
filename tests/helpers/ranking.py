"""Models that say what a test wants, and a store that they rank."""

from helpers.builders import keep
from helpers.keyword_models import WordEmbedder, WordReranker, WordSifter
from memcli.protocols import SiftedOrder
from memcli.text.chunking import passage_text, split_passages

WORDING = "{history}\nQuestion: {current}"


class CountingReranker(WordReranker):
    """Says what it was told to about passages that hold a word, and counts passages."""

    def __init__(self, **says):
        self.says, self.judged = says, []

    def judge(self, question, passages):
        self.judged += passages
        for at, passage in enumerate(passages):
            yield at, max((p for word, p in self.says.items() if word in passage), default=0.0)


class CountingSifter(WordSifter):
    """Ranks as it was told to, and keeps the messages."""

    def __init__(self, *order):
        self.order, self.messages = order, []

    def sift(self, message, *, shown, ranked, thought_tokens):
        self.messages.append(message)
        yield "Because "
        yield "I say so."
        yield SiftedOrder(self.order)


def index_talks(store, *talks):
    """Store conversations, and index their words and vectors."""
    for number in keep(store, *talks):
        session = store.sessions.by_number(number)
        cut = split_passages(session)
        numbers = store.index.add(number, session, cut)
        vectors = WordEmbedder().embed([passage_text(session, part) for part in cut])
        if cut:
            store.index.add_vectors([(one, 0) for one in numbers], vectors, WordEmbedder())


def titles(ranking):
    """Return the titles of the sessions of a ranking."""
    return [result.session.title for result in ranking.results]
