"""What an expression can tell and what it cannot, what the law asks, what is kept where."""

from __future__ import annotations

import streamlit as st

from app import home_view, views

_PAGE = "pages/responsible_use.py"

_MEANING = """
FER Lab names the expression that a picture of a face shows. It does not know what the person
feels.

- **The link is loose.** People scowl in about three of ten cases in which they are angry, and they
  scowl for many other reasons. Across cultures, situations and even for one person, the same
  feeling moves faces differently ([Barrett et al. 2019](https://doi.org/10.1177/1529100619832930)).
- **The labels are opinions.** FER-2013's label is one person's quick guess; people agree with it
  65 ± 5 % of the time ([Goodfellow et al. 2013](https://arxiv.org/abs/1307.0414)). The ten FER+
  votes for each picture show how often they split.
- **The faces are not everybody's.** They were gathered by a web search: posed, acted, mostly lit
  well, and not balanced by age, skin colour or gender. Figures on them say little about a group
  that is rare in them.
- **A confidence is about pictures.** “71 %” means that of such answers on pictures *like those of
  the test set*, 71 in 100 match the label. Other cameras and other faces can be far from that.
"""

_DO = """
- Say “looks happy”, never “is happy”, and keep “unsure” as an answer.
- Tell people before a camera looks at them, and let them say no without a disadvantage.
- Measure on your own pictures, for each group of people that you mean to use it on.
- Look at single faces where it matters: the occlusion map shows what an answer rests on.
"""

_DO_NOT = """
- Decide on a person by it: hiring, grading, credit, policing, insurance, diagnosis.
- Claim that it detects lies, attention, intent, illness or personality.
- Watch people who do not know of it.
- Take the mean of a crowd or of a class for its mood.
"""

_LAW = """
The [Artificial Intelligence Act](https://eur-lex.europa.eu/eli/reg/2024/1689/oj) of the European
Union (Regulation 2024/1689) calls a system that infers *emotions or intentions* of people from
their biometric data an emotion recognition system (article 3(39)). Naming an expression that is
plainly there, such as a smile, is not yet that; concluding from it how somebody feels is
(recital 18).

- **Article 5(1)(f)** prohibits inferring emotions of people at their **workplace** and in
  **education**, except for medical or safety reasons. It has applied since 2 February 2025.
- **Article 50(3)** obliges whoever uses an emotion recognition system to **inform the people
  exposed to it**, and to follow the data protection law.
- Elsewhere it is a high-risk use (annex III, point 1(c)) with duties of its own.

Pictures of faces are personal data under the GDPR. This page is no legal advice.
"""

_STORED = """
- **Photos, videos and the webcam** are worked on in memory or in a temporary folder that is emptied
  when they are replaced or FER Lab ends. They are not kept, and nothing leaves this computer.
- **Datasets, trainings and models** stay in the folders below until you delete them; a deleted
  training lies in the trash for 30 days.
- FER Lab opens no connection by itself. Three things do when asked: the download from Kaggle, a
  training that starts from ImageNet weights, which are downloaded once, and a connection server
  for the webcam if one was configured.
"""


def link() -> None:
    """A line that leads to the page, for wherever faces are recognized."""
    st.page_link(_PAGE, label="What an expression can and cannot tell", icon=":material/balance:")


def view() -> None:
    """The page's content."""
    with views.card("What an expression can tell", "face", key="use_meaning"):
        st.markdown(_MEANING)
    do, do_not = st.columns(2)
    with do, views.card("Do", "check_circle", key="use_do"):
        st.markdown(_DO)
    with do_not, views.card("Do not", "block", key="use_do_not"):
        st.markdown(_DO_NOT)
    with views.card("What the law asks in the European Union", "gavel", key="use_law"):
        st.markdown(_LAW)
    with views.card("What is kept, and where", "folder", key="use_stored"):
        st.markdown(_STORED)
        home_view.folders()
