import numpy as np
from helpers.keyword_models import WordEmbedder, WordReranker, WordSifter

from memcli.protocols import Embedder, Reranker, SiftedOrder, Sifter

MESSAGE = """<session0>
<user0>We flew to Lisbon in May.</user0>
</session>
<session1>
<user0>I must not eat hazelnuts.</user0>
</session>
what must I not eat"""


def test_the_fakes_are_what_the_protocols_ask_for():
    embedder: Embedder = WordEmbedder()
    reranker: Reranker = WordReranker()
    sifter: Sifter = WordSifter()

    assert embedder.fingerprint
    assert reranker.fingerprint
    assert sifter.fingerprint


def test_texts_that_share_words_are_near_each_other():
    near, far, question = WordEmbedder().embed(["no hazelnuts", "Lisbon", "hazelnuts?"])

    assert near @ question > far @ question
    assert np.allclose(np.linalg.norm([near, far, question], axis=1), 1)


def test_the_probability_is_the_share_of_the_questions_words():
    answers = list(WordReranker().judge("eat hazelnuts", ["I eat Nuts", "Hazelnuts: eat!", ""]))

    assert answers == [(0, 0.5), (1, 1.0), (2, 0.0)]


def test_a_question_without_words_is_answered_no():
    assert list(WordReranker().judge("?", ["anything"])) == [(0, 0.0)]


def test_the_session_that_shares_most_words_with_the_question_ranks_first():
    *thought, ranking = WordSifter().sift(MESSAGE, shown=2, ranked=2, thought_tokens=10)

    assert "".join(thought) == "counting words"
    assert ranking == SiftedOrder((1, 0))


def test_a_message_without_sessions_keeps_the_order_given():
    assert list(WordSifter().sift("?", shown=3, ranked=2, thought_tokens=0)) == [
        SiftedOrder((0, 1))
    ]
