"""Escapes untrusted text, so that it shows as plain text everywhere.

Untrusted are a run's name, the content of its files, addresses and error messages.
"""

from __future__ import annotations

import html
import re

# Characters that mean something in Markdown; an underscore within a word does not.
_MARKDOWN_SIGNS = re.compile(r"[\\`*\[\]<>~$&]|(?<![^\W_])_|_(?![^\W_])")

# What a backslash does not escape: the beginning of a heading or a list, and what Streamlit replaces after
# parsing Markdown: icons, colours, emojis and links, all with a colon that a time does not have, addresses and arrows.
_MARKDOWN_PATTERNS = re.compile(
    r"^(?=[#+-]|\d+[.)](?!\S))|:(?=\S)(?!\d\d\b)|@|www(?=\.)|(?<!\S)[-<>~](?=(->|[->=])(?!\S))", re.IGNORECASE
)

# Has no width and allows no line break.
_WORD_JOINER = "\N{WORD JOINER}"


def printable(text: str) -> str:
    r"""Return text for a terminal: line breaks and escapes have no effect and show as ``\x1b``."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def plain_text(text: str) -> str:
    """Return untrusted text as Markdown that Streamlit shows literally, in one line.

    Args:
        text: Any text. Characters that cannot be printed show as ``\N{REPLACEMENT CHARACTER}``.
    """
    # Patterns first: a backslash would hide from them what Streamlit sees without it.
    joined = _MARKDOWN_PATTERNS.sub(lambda match: match[0] + _WORD_JOINER, one_line(text))
    return _MARKDOWN_SIGNS.sub(r"\\\g<0>", joined)


def plotly_text(text: str) -> str:
    """Return untrusted text that Plotly shows literally, in one line: Plotly interprets some HTML tags.

    Args:
        text: As for ``plain_text``.
    """
    return html.escape(one_line(text), quote=False)


def one_line(text: str) -> str:
    """Return untrusted text in one line, for places that show text literally, such as a table's cell.

    Args:
        text: As for ``plain_text``.
    """
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in " ".join(text.split()))
