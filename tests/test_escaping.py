"""Untrusted text shows literally."""

from __future__ import annotations

import pytest

from mnist_lib.escaping import plain_text, plotly_text


@pytest.mark.parametrize(
    "text",
    [
        "20260101-000000-paper-seed9",
        "my_best.run",
        "config.json: Epochs must be from 1 to 100, not 500.",
        "99.5% (2 h)",
        "custom, 12,000 images, 26 Nov, 17:30:57",
    ],
)
def test_usual_text_is_its_own_markdown(text: str) -> None:
    assert plain_text(text) == text
    assert plotly_text(text) == text


# ␠ stands for the sign of no width.
@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("![p](x) [l](x)", r"!\[p\](x) \[l\](x)"),
        ("*e* _e_ __s__ ~d~ `c`", r"\*e\* \_e\_ \_\_s\_\_ \~d\~ \`c\`"),
        ("$x$ <b> &lt; \\", r"\$x\$ \<b\> \&lt; \\"),
        (":red[r] :smile: :material/home:", r":␠red\[r\] :␠smile: :␠material/home:"),
        ("12:100:30 :1234: :8ball:", "12:␠100:30 :␠1234: :␠8ball:"),
        ("http://a.b www.a.b a@b.c", "http:␠//a.b www␠.a.b a@␠b.c"),
        ("WWW.a.b", "WWW␠.a.b"),
        ("a -> b -- c <-> d", r"a -␠\> b -␠- c \<␠-\> d"),
        ("# h", "␠# h"),
        ("- i", "␠- i"),
        ("12. i", "␠12. i"),
        ("12.5 s", "12.5 s"),
        ("> q", r"\> q"),
        ("one\ntwo\r\n\n    three\u2028four\t", "one two three four"),
        ("\ud800\0\u202e", "\ufffd\ufffd\ufffd"),
    ],
)
def test_no_character_of_untrusted_text_means_anything_to_markdown(text: str, markdown: str) -> None:
    assert plain_text(text) == markdown.replace("␠", "\N{WORD JOINER}")


def test_no_sign_of_others_text_means_anything_to_plotly() -> None:
    assert plotly_text("<b>&lt; \"q\"\n'a'\ud800") == "&lt;b&gt;&amp;lt; \"q\" 'a'\ufffd"
