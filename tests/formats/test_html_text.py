"""HTML converted to text."""

import pytest

from memcli.errors import InputError
from memcli.formats.parsing.html_text import html_to_text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("plain", "plain"),
        ("<p>One <b>bold</b>\n  word.</p><p>Two</p>", "One bold word.\nTwo"),
        ("a<br>b<br/><br>c", "a\nb\nc"),
        ("<ul><li>a<li>b</ul>", "a\nb"),
        ("1 &lt; 2 &amp;&#66;&nbsp;x", "1 < 2 &B x"),
        ("<script>x()</script><style>y</style>z", "z"),
        ("<pre><code>if x:\n    y = 1\n</code></pre><p>done</p>", "if x:\n    y = 1\ndone"),
        ("</p></pre>unopened", "unopened"),
        ("", ""),
        ("\ud83d", "?"),
    ],
)
def test_what_stands_on_a_line_of_its_own_is_a_line(html, text):
    assert html_to_text(html) == text


def test_a_tag_without_an_end_is_an_error():
    with pytest.raises(InputError):
        html_to_text("<a " + "x" * (5 << 20))
