"""Formats numbers and names as text, for the screens, the report and the command line."""

from __future__ import annotations

OPTIMIZER_NAMES = {"adam": "Adam", "adamw": "AdamW", "sgd": "SGD with momentum", "muon": "Muon"}


def a_digit(digit: int) -> str:
    """Return a digit with its article: ``a 3``, ``an 8``.

    Args:
        digit: 0 to 9.
    """
    return f"{'an' if digit == 8 else 'a'} {digit}"


def count_text(count: int, one: str, several: str = "") -> str:
    """Return a number with what it counts: ``1 run``, ``2,000 runs``.

    Args:
        count: How many there are.
        one: What one of them is called.
        several: What more or none are called, if it is not the same with an s.
    """
    return f"{count:,} {one if count == 1 else several or f'{one}s'}"


def time_over_text(minutes: float) -> str:
    """Return why a training ended that had only so many minutes: ``its time of 1 minute was over``."""
    return f"its time of {minutes:g} {'minute' if minutes == 1 else 'minutes'} was over"


def percent_text(probability: float, decimals: int = 1) -> str:
    """Return a probability in percent, never rounded to 0% or to 100%: ``97.3%``, ``<0.1%``, ``>99.9%``.

    A softmax returns neither of the two, and a wrong answer that is "100% sure" would be
    impossible.

    Args:
        probability: 0 to 1.
        decimals: Number of decimals.
    """
    text = f"{probability:.{decimals}%}"
    smallest = 10 ** -(decimals + 2)
    if text == f"{0:.{decimals}%}":
        return f"<{smallest:.{decimals}%}"
    if text == f"{1:.{decimals}%}":
        return f">{1 - smallest:.{decimals}%}"
    return text


def duration_text(seconds: float) -> str:
    """Return a duration as text: ``45 s``, ``1 min 15 s``, ``2 h 05 min``."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, or its type if it has none."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def setting_text(value: bool | int | float | str) -> str:
    """Return a setting's value as text: ``on``, ``60,000``, ``0.001``, ``one-cycle``."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:,}" if isinstance(value, int) else f"{value:g}" if isinstance(value, float) else value


def learning_rate_text(rate: float) -> str:
    """Return a learning rate with at most three significant digits: ``0.001``, ``0.000464``."""
    return f"{rate:.3g}"


def rough_duration_text(least_s: float, most_s: float) -> str:
    """Return a rough duration as text: ``15 to 45 s``, ``2 to 4 min``, ``15 s``.

    Args:
        least_s: The least number of seconds.
        most_s: The most, or the same.
    """
    seconds, unit = (5, "s") if most_s < 100 else (60, "min")
    least, most = (max(1, round(value / seconds)) for value in (least_s, most_s))
    step = seconds if unit == "s" else 1
    return f"{least * step} {unit}" if least == most else f"{least * step} to {most * step} {unit}"
