"""The content of ChatGPT's messages."""

import json

import pytest

from memcli.domain import Kind
from memcli.formats.assistants.chatgpt_content import canvas_text, chatgpt_message_content
from memcli.formats.parsing.message_counter import MessageCounter


def span(*fields):
    return "\ue200" + "\ue202".join(fields) + "\ue201"


def message(*parts, kind="multimodal_text", uploads=(), **content):
    attachments = [{"id": name, "name": name} for name in uploads]
    return {
        "content": {"content_type": kind, "parts": list(parts), **content},
        "metadata": {"attachments": attachments},
    }


PICTURE = {"content_type": "image_asset_pointer", "asset_pointer": "sediment://file_1"}
SOUND = {"content_type": "audio_asset_pointer", "asset_pointer": "sediment://file_2"}


@pytest.mark.parametrize(
    ("markup", "words"),
    [
        (span("cite", "turn0search1", "turn0search2"), ""),
        (span("filecite", "turn0file0", "L10-L12"), ""),
        (span("entity", '["hotel","Zum Anker","an inn"]'), "Zum Anker"),
        (span("product_entity", '["turn0product1","Blue oar"]'), "Blue oar"),
        (span("product", "turn0product3", "Blue oar"), "Blue oar"),
        (span("products", '{"selections":[["turn0product1","Oar"],["turn0product2","Sail"]]}'),
         "Oar, Sail"),
        (span("navlist", "Related", "turn0news1,turn0news2"), "Related"),
        (span("video", "How to row", "turn0youtube1"), "How to row"),
        (span("url", "Guide", "https://example.org/g"), "[Guide](https://example.org/g)"),
        (span("image_group", '{"query":["oars"],"aspect_ratio":"1:1"}'), ""),
        (span("i", "turn0image2"), ""),
        (span("broken", '["a",'), '["a",'),
        ("\ue200cite\ue202turn0search1", ""),
        ("\ue203", ""),
        (":contentReference[oaicite:2]{index=2}", ""),
        ("【4†source】", ""),
    ],
)  # fmt: skip
def test_markup_gives_the_words_that_the_person_saw(markup, words):
    _, text = chatgpt_message_content(message(f"Row {markup}", kind="text"), MessageCounter())

    assert text.strip() == f"Row {words}".strip()


@pytest.mark.parametrize(
    ("content", "kind", "text"),
    [
        (message("Read this", uploads=["lease.pdf"]), Kind.TEXT, "Read this\n[lease.pdf]"),
        (message("", uploads=["a.pdf", "b.csv"]), Kind.MEDIA, "a.pdf, b.csv"),
        (message("", PICTURE, uploads=["hull.jpg"]), Kind.MEDIA, "hull.jpg"),
        (message("", PICTURE), Kind.MEDIA, "[image]"),
        (message(SOUND), Kind.MEDIA, "[voice message]"),
        (message({"content_type": "audio_transcription", "text": "Hi"}, SOUND), Kind.TEXT, "Hi"),
        (message({"content_type": "drawing", "title": "Hull"}), Kind.MEDIA, "[drawing: Hull]"),
        (message("See", {"content_type": "drawing"}), Kind.TEXT, "See\n[drawing]"),
        (message(kind="quiz", text="Port or starboard?"), Kind.TEXT, "Port or starboard?"),
        (message(kind="quiz", title="Knots"), Kind.MEDIA, "[quiz: Knots]"),
        (message(kind="text"), Kind.MEDIA, ""),
        (message(kind="thoughts", thoughts=[{"content": "Hmm"}]), Kind.TEXT, ""),
        (message(kind="code", text="search()"), Kind.TEXT, ""),
    ],
)
def test_a_message_with_any_content_has_a_text(content, kind, text):
    assert chatgpt_message_content(content, MessageCounter()) == (kind, text)


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (
            json.dumps({"name": "Budget", "type": "document", "content": "Oars: 80"}),
            "[canvas: Budget]\nOars: 80",
        ),
        (
            json.dumps({"updates": [{"pattern": ".*", "replacement": "Oars: 90"}]}),
            "[canvas]\nOars: 90",
        ),
        (
            json.dumps({"comments": [{"pattern": "Oars", "comment": "Too dear."}]}),
            "[canvas]\nToo dear.",
        ),
        ('{"name": "Budget", "con', '[canvas]\n{"name": "Budget", "con'),
        ("", ""),
    ],
)
@pytest.mark.parametrize("kind", ["code", "text"])
def test_documents_of_the_canvas_are_named_and_kept(written, text, kind):
    content = {"text": written} if kind == "code" else {"parts": [written]}

    assert canvas_text({"content": {"content_type": kind, **content}}) == text
