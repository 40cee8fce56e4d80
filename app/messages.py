"""What the dashboard says when something went wrong: one sentence, never a traceback."""

from __future__ import annotations

from pipeline.errors import PipelineError
from pipeline.files import disk_trouble

APOLOGY = (
    "Something went wrong that FER Lab did not foresee. Nothing of yours was changed; "
    "the details are in the log of the server."
)


def describe(error: Exception) -> str | None:
    """The sentence to show for an error, or `None` if nobody foresaw it.

    Args:
        error: What was raised. A `PipelineError` speaks for itself; of the
            operating system's errors, those that a user can mend get a sentence.
    """
    if isinstance(error, PipelineError):
        return _sentence(str(error))
    reason = disk_trouble(error)
    return None if reason is None else _sentence(reason)


def _sentence(text: str) -> str:
    text = text.strip()
    if not text:
        return APOLOGY
    # A sentence that begins with a file's name leaves it as it is.
    if text.split()[0].strip(",:;").isalpha():
        text = text[0].upper() + text[1:]
    return text + ("" if text[-1] in ".!?" else ".")
