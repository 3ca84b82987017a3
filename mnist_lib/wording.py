"""How figures are said in words, on the screens, in a report and on the command line.

And how the words of others are shown: a run's name, what its files hold, what an address
asks for and what an error says are plain text wherever they stand.
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


def a_digit(digit: int) -> str:
    """Return a digit with its article: ``a 3``, ``an 8``.

    Args:
        digit: 0 to 9.
    """
    return f"{'an' if digit == 8 else 'a'} {digit}"


def percent_text(probability: float, decimals: int = 1) -> str:
    """Return a probability in percent, never rounded to 0% or to 100%: ``97.3%``, ``<0.1%``, ``>99.9%``.

    A softmax gives neither of the two, and a wrong answer that is "100% sure" would say
    that it was impossible.

    Args:
        probability: 0 to 1.
        decimals: How many to show.
    """
    text = f"{probability:.{decimals}%}"
    smallest = 10 ** -(decimals + 2)
    if text == f"{0:.{decimals}%}":
        return f"<{smallest:.{decimals}%}"
    if text == f"{1:.{decimals}%}":
        return f">{1 - smallest:.{decimals}%}"
    return text


def duration_text(seconds: float) -> str:
    """Return a duration as a person says it: ``45 s``, ``1 min 15 s``, ``2 h 05 min``."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def printable(text: str) -> str:
    r"""Return a text for a terminal: a line break or an escape shows as ``\x1b`` and does nothing."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def first_line(error: BaseException) -> str:
    """Return the first line of what an error says; its type where it says nothing."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def learning_rate_text(rate: float) -> str:
    """Return a learning rate with three significant figures at most: ``0.001``, ``0.000464``."""
    return f"{rate:.3g}"


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
