"""Questions with an answer and another text, which every trained reranker tells apart."""

from memcli.catalog.manifest import ReferenceRanking

_CLEAR_GAP = 0.5

# The first ranking must be right; of the others, a model may not know the language.
KNOWN_PAIRS = (
    ReferenceRanking(
        "In which country does the Danube reach the sea?",
        (
            "The Danube reaches the Black Sea in Romania.",
            "Knead the dough for ten minutes and let it rise.",
        ),
        min_gap=_CLEAR_GAP,
    ),
    ReferenceRanking(
        "¿A qué hora sale el tren a Sevilla?",
        (
            "El tren a Sevilla sale a las nueve y cuarto de la mañana.",
            "Mi hermana pinta acuarelas los domingos.",
        ),
        min_gap=_CLEAR_GAP,
    ),
    ReferenceRanking(
        "珠穆朗玛峰有多高？",
        ("珠穆朗玛峰的海拔高度约为8849米。", "昨天晚上我煮了番茄汤。"),
        min_gap=_CLEAR_GAP,
    ),
    ReferenceRanking(
        "ما هي عاصمة مصر؟",
        ("القاهرة هي عاصمة مصر.", "اشتريت دراجة حمراء جديدة."),
        min_gap=_CLEAR_GAP,
    ),
)
