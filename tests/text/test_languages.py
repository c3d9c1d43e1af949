import pytest

from memcli.text.languages import guess_language, language_shares

SENTENCES = {
    "English": "What did the doctor say about my knee?",
    "German": "Was hat der Arzt über mein Knie gesagt, und wie lange ist die Pause?",
    "French": "Est-ce que le médecin a dit quelque chose sur mon genou ?",
    "Spanish": "¿Qué dijo el médico de mi rodilla y por qué no me llamó?",
    "Portuguese": "O que é que o médico disse do meu joelho, e como foi?",
    "Italian": "Che cosa ha detto il medico del mio ginocchio, e come va?",
    "Dutch": "Wat zei de dokter over mijn knie, en is het niet te laat?",
    "Swedish": "Vad sa läkaren om mitt knä, och är det inte för sent?",
    "Polish": "Co lekarz powiedział o moim kolanie i czy to nie jest za późno?",
    "Turkish": "Doktor dizim için ne dedi, ve bu çok geç mi?",
    "Japanese": "医者は膝について何と言いましたか",
    "Chinese": "医生怎么说我的膝盖",
    "Korean": "의사가 무릎에 대해 뭐라고 했어?",
    "Russian or Ukrainian": "Что сказал врач?",
    "Greek": "Τι είπε ο γιατρός;",
    "Arabic or Persian": "ماذا قال الطبيب؟",
    "Hebrew": "מה אמר הרופא?",
    "Hindi or Marathi": "डॉक्टर ने क्या कहा?",
    "Thai": "หมอพูดว่าอะไร",
}


@pytest.mark.parametrize("language", SENTENCES)
def test_a_sentence_is_told_by_its_language(language):
    assert guess_language(SENTENCES[language]) == language


@pytest.mark.parametrize("text", ["", "wifi password", "12:30", "Ærø", "🎉"])
def test_a_few_words_tell_nothing(text):
    assert guess_language(text) is None


def test_shares_count_only_what_is_known():
    texts = [SENTENCES["Chinese"]] * 3 + [SENTENCES["English"], "ok", ""]

    assert language_shares(texts) == {"Chinese": 0.75, "English": 0.25}
