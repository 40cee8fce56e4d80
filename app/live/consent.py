"""What live recognition may be started for."""

from __future__ import annotations

from enum import StrEnum


class Purpose(StrEnum):
    """Why someone wants to start; the values are what the page calls it."""

    OWN = "My own use: it is me in the picture"
    DEMO = "A demonstration or a lesson about the technology"
    RESEARCH = "Research with volunteers"
    WORK = "Watching people at work, or judging applicants"
    SCHOOL = "Watching pupils or students"

    @property
    def prohibited(self) -> bool:
        """Whether the law forbids it."""
        return self in (Purpose.WORK, Purpose.SCHOOL)


STOP = (
    "**Not for this purpose.** In the European Union it is prohibited to use AI to infer the "
    "emotions of people at the workplace or in education institutions: Regulation (EU) 2024/1689 "
    "(AI Act), Article 5(1)(f), which has applied since 2 February 2025. It exempts only systems "
    "meant for medical or safety reasons, which FER Lab is not. Live recognition does not start."
)

PROMISE = "Everyone who can come into view knows that a program reads expressions, and agrees"

PROMISE_HELP = (
    "People have to be told before an emotion recognition system looks at them: Regulation (EU) "
    "2024/1689, Article 50(3). Where data protection law applies, you also need a legal basis, "
    "such as their consent."
)


def may_start(purpose: Purpose | None, promised: bool) -> bool:
    """Whether live recognition may start.

    Args:
        purpose: What it is for; `None` if that was not said.
        promised: Whether everyone in view was told.
    """
    return purpose is not None and not purpose.prohibited and promised
