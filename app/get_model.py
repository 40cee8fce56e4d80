"""The quickest way to a model: a training of two minutes, on drawn faces if there are no others."""

from __future__ import annotations

import streamlit as st

from app import get_data, resources, state, views
from app.jobs import Work
from app.training import launch, steer
from pipeline.dataset import DatasetStore
from pipeline.home import Home
from pipeline.progress import Progress
from pipeline.runs import RunStore
from pipeline.training import worker
from pipeline.training.presets import two_minutes
from pipeline.training.queue import RunQueue


def train_quickly() -> None:
    """Begins a short training on the active dataset, and draws the demo faces first if need be.

    The training page shows it from then on.

    Raises:
        PipelineError: If a dataset is being imported, or the active one is damaged.
    """
    home, store = resources.home(), resources.datasets()
    active = state.active_dataset(home, store)
    if active is None:
        resources.jobs().start(get_data.JOB, "First training", _work(home))
        steer.show_latest()
        return
    preset = two_minutes(synthetic=store.meta(active).synthetic)
    steer.show(launch.begin(preset.config, active, None))


def no_model() -> None:
    """Says that there is no model yet, and how to get one."""
    with st.container(border=True, horizontal_alignment="center", key="no_model"):
        if launch.lively():
            views.empty_state("No model yet", "A network is being trained: its model comes here.")
            st.page_link("pages/train.py", label="Watch it", icon=":material/show_chart:")
        else:
            views.empty_state(
                "No model yet",
                "Faces are recognized by a trained network. Train one in about two minutes, on "
                "drawn faces if there are no others, or import a run on the Runs page.",
            )
            if st.button(
                "Train for two minutes",
                key="no_model_train",
                type="primary",
                icon=":material/play_arrow:",
            ):
                with views.guarded():
                    train_quickly()
                    st.switch_page("pages/train.py")
        st.space("small")


def _work(home: Home) -> Work:
    """Draws the demo faces and starts to train on them."""

    def work(progress: Progress) -> str:
        get_data.demo_work(home)(progress)
        dataset = DatasetStore(home.data).open(get_data.DEMO)
        preset = two_minutes(synthetic=True)
        # Not by `launch`, which is for scripts of a page: this is a thread of the server.
        RunQueue(home).submit(worker.create(RunStore(home.runs), preset.config, dataset))
        return "The demo faces are ready, and a network begins to learn from them."

    return work
