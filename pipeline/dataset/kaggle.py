"""Fetches FER-2013 from where it was first published: Kaggle's challenge of 2013.

Needs the optional package `kagglehub`, the user's own token and, once, a click
on the challenge's rules. Kaggle keeps the file in its cache
(`~/.cache/kagglehub`), so a second call costs nothing.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from pipeline.errors import DatasetError
from pipeline.progress import Progress, no_progress

COMPETITION = "challenges-in-representation-learning-facial-expression-recognition-challenge"
COMPETITION_PAGE = f"https://www.kaggle.com/competitions/{COMPETITION}"
FILE = "fer2013.tar.gz"
"""96 MB with `fer2013.csv`, which has the splits and the order that FER+ votes need."""

TOKEN_PAGE = "https://www.kaggle.com/settings/api"

_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND = 401, 403, 404


def download(progress: Progress = no_progress) -> Path:
    """Downloads FER-2013 with the user's Kaggle token.

    Returns:
        The archive, ready for `readers.import_dataset`.

    Raises:
        DatasetError: If `kagglehub` is not installed, there is no token, Kaggle
            refuses it, or Kaggle cannot be reached; the message says what to do.
    """
    try:
        kagglehub: Any = importlib.import_module("kagglehub")
        problems: Any = importlib.import_module("kagglehub.exceptions")
        # It is what kagglehub talks to Kaggle with.
        web: Any = importlib.import_module("requests.exceptions")
    except ImportError as error:
        raise DatasetError(
            "downloading from Kaggle needs the package kagglehub: run `pip install kagglehub`, or "
            f"get {FILE} from {COMPETITION_PAGE}/data and import it"
        ) from error
    progress(0, None, "downloading FER-2013 from Kaggle (96 MB)")
    try:
        return Path(kagglehub.competition_download(COMPETITION, path=FILE))
    except problems.UnauthenticatedError as error:
        raise DatasetError(
            f"no Kaggle token found: create one at {TOKEN_PAGE} and set KAGGLE_API_TOKEN to it, or "
            "save it as ~/.kaggle/access_token (an older kaggle.json in ~/.kaggle works too)"
        ) from error
    except web.HTTPError as error:
        status = None if error.response is None else error.response.status_code
        raise DatasetError(_refusal(status)) from error
    except web.RequestException as error:
        raise DatasetError(
            "cannot reach Kaggle: check the network connection and try again, or import a copy "
            "of FER-2013 that you have"
        ) from error
    except (problems.DataCorruptionError, OSError, ValueError) as error:
        # ValueError: a kaggle.json that is none. Only the first line is for people.
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise DatasetError(f"the download from Kaggle failed: {reason}") from error


def _refusal(status: int | None) -> str:
    if status == _UNAUTHORIZED:
        return (
            f"Kaggle does not accept the token: create a new one at {TOKEN_PAGE} and set "
            "KAGGLE_API_TOKEN to it"
        )
    if status == _FORBIDDEN:
        return (
            f"Kaggle refuses access: sign in and accept the rules at {COMPETITION_PAGE}/rules, "
            f"then try again; if you have, the token may be wrong (new ones: {TOKEN_PAGE})"
        )
    if status == _NOT_FOUND:
        return f"Kaggle no longer has {FILE} at {COMPETITION_PAGE}: import a copy that you have"
    return f"Kaggle answered with an error (status {status}): try again later"
