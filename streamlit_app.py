"""The dashboard: `streamlit run streamlit_app.py`.

One file, read in two ways. Streamlit's command finds the `st.App` below and
imports this module to get the server, on whose port the JSON routes live too;
each visit then executes the same file as the script `__main__`, which draws the
page.
"""

from functools import partial

import streamlit as st

from app import modules, server, shell, views
from app.video import marked_copy

if __name__ == "__main__":
    # Before the navigation, which would look for a picture of the page's own icon on the internet.
    st.set_page_config(page_icon=shell.logo(with_name=False), layout="wide")
    # Every page has an address of its own choosing, not its file's name: Streamlit's older
    # navigation, which looks into pages/ by itself, would take it for one of its own and run it
    # without this router. That of the first is the root, whatever it is given.
    page = st.navigation(
        {
            "": [
                st.Page(
                    "pages/overview.py",
                    title="Overview",
                    icon=":material/space_dashboard:",
                    url_path="",
                    help="The active dataset and model, the latest runs, and how to get them.",
                    default=True,
                ),
                st.Page(
                    "pages/dataset.py",
                    title="Dataset",
                    icon=":material/dataset:",
                    url_path="explore-data",
                    help="What is in the active dataset, and whether it can be trusted.",
                ),
            ],
            "Networks": [
                st.Page(
                    "pages/train.py",
                    title="Train",
                    icon=":material/model_training:",
                    url_path="train-network",
                    help="Train a network on a dataset, and watch it learn.",
                ),
                st.Page(
                    "pages/sweeps.py",
                    title="Sweeps",
                    icon=":material/tune:",
                    url_path="hyperparameter-search",
                    help="Search for better settings with many trainings.",
                ),
                st.Page(
                    "pages/runs.py",
                    title="Runs",
                    icon=":material/table_chart:",
                    url_path="training-runs",
                    help="All trainings with their scores; choose the model to use.",
                ),
                st.Page(
                    "pages/evaluation.py",
                    title="Evaluate",
                    icon=":material/monitoring:",
                    url_path="evaluate-model",
                    help="How good a model is, where it fails, and how sure it is.",
                ),
                st.Page(
                    "pages/compare.py",
                    title="Compare",
                    icon=":material/compare_arrows:",
                    url_path="compare-runs",
                    help="Runs side by side, and whether their difference is more than luck.",
                ),
            ],
            "Faces": [
                st.Page(
                    "pages/photo.py",
                    title="Photo",
                    icon=":material/add_a_photo:",
                    url_path="recognise-photo",
                    help="The expressions of the faces in pictures.",
                ),
                st.Page(
                    "pages/video.py",
                    title="Video",
                    icon=":material/movie:",
                    url_path="recognise-video",
                    help="Who in a video shows which expression, and when.",
                ),
                st.Page(
                    "pages/live.py",
                    title="Live",
                    icon=":material/videocam:",
                    url_path="webcam",
                    help="The expressions of the faces in front of the webcam.",
                ),
                st.Page(
                    "pages/responsible_use.py",
                    title="Responsible use",
                    icon=":material/balance:",
                    url_path="using-it-well",
                    help="What an expression can and cannot tell, and what is kept where.",
                ),
            ],
        },
        expanded=True,
    )
    st.set_page_config(page_title=f"{page.title} · FER Lab")
    shell.sidebar()
    with st.container():  # it keeps its place: a shift would tear a running video off the page
        shell.job_strip(page.title)
    with views.guarded():
        if page.url_path:  # the first page has no chart
            modules.load_pandas()
        page.run()
    modules.freeze()
else:
    api = server.make_api()
    application = st.App(
        __file__,
        routes=[*api.routes(), marked_copy.route()],
        lifespan=partial(server.lifespan, api=api),
        on_script_error=server.on_script_error,
    )
