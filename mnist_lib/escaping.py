"""How the words of others are shown: as plain text, wherever they stand.

A run's name, what its files hold, what an address asks for and what an error says.
"""

from __future__ import annotations

import html
import re

# Markdown's own signs; an underscore within a word is none.
_MARKDOWN_SIGNS = re.compile(r"[\\`*\[\]<>~$&]|(?<![^\W_])_|_(?![^\W_])")

# What a backslash does not keep: the beginning of a heading or a list, and what Streamlit looks for once
# Markdown is read: icons, colours, emojis and links, all with a colon, addresses and arrows.
_MARKDOWN_PATTERNS = re.compile(
    r"^(?=[#+-]|\d+[.)](?!\S))|:(?=\S)|@|www(?=\.)|(?<!\S)[-<>~](?=(->|[->=])(?!\S))", re.IGNORECASE
)

# Of no width, and no line ends there.
_WORD_JOINER = "\N{WORD JOINER}"


def printable(text: str) -> str:
    r"""Return a text for a terminal: a line break or an escape shows as ``\x1b`` and does nothing."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def plain_text(text: str) -> str:
    """Return others' text as Markdown that Streamlit shows letter by letter, in one line.

    Args:
        text: Anything. What has no sign to print is shown as ``\N{REPLACEMENT CHARACTER}``.
    """
    # Patterns first: a backslash would hide from them what Streamlit sees without it.
    joined = _MARKDOWN_PATTERNS.sub(lambda match: match[0] + _WORD_JOINER, one_line(text))
    return _MARKDOWN_SIGNS.sub(r"\\\g<0>", joined)


def plotly_text(text: str) -> str:
    """Return others' text as Plotly shows it letter by letter, in one line: Plotly knows some of HTML's tags.

    Args:
        text: As for ``plain_text``.
    """
    return html.escape(one_line(text), quote=False)


def one_line(text: str) -> str:
    """Return others' text in one line, for what takes text as it is, such as a table's cell.

    Args:
        text: As for ``plain_text``.
    """
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in " ".join(text.split()))
