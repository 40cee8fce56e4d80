"""How long the dataset page takes: its first view, each tab, a filter, an image at large.

    FERLAB_HOME=… python -m bench.dataset_page [dataset]

The dataset, by default `fer2013`, must have been imported in that home, and a model
must be there for the maps and the label errors. Times are of the server's work, with
nothing drawn in a browser; t-SNE takes minutes.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from streamlit.testing.v1 import AppTest

from app import resources, state
from app.dataset_page import charts, gallery, look, page
from app.dataset_page.gallery import CopyFilter, Filters, Order, VoteFilter
from pipeline.dataset import Split, inspection
from pipeline.dataset.embedding import nearest, nearest_features, pixel_features
from pipeline.dataset.maps import Method, make_map
from pipeline.dataset.overlay import OverlayStore
from pipeline.evaluation.label_errors import find_label_errors
from pipeline.evaluation.predictions import predict
from pipeline.home import PROJECT_ROOT
from pipeline.recognition.classifier import EmotionClassifier
from pipeline.recognition.embedding import ModelEmbedding

REPEATS = 5


def timed(what: str, work: Callable[[], Any], repeats: int = REPEATS) -> Any:
    """Prints the median and the longest of several times."""
    times, result = [], None
    for _ in range(repeats):
        start = time.perf_counter()
        result = work()
        times.append(1e3 * (time.perf_counter() - start))
    print(f"{what:44s} median {np.median(times):7.0f} ms   longest {max(times):7.0f} ms")
    return result


def parts(name: str) -> None:
    dataset = resources.dataset(name)
    timed("inspect, once", lambda: inspection.run(dataset), repeats=1)
    found = timed("load the kept inspection", lambda: inspection.load(dataset))
    overlay = OverlayStore(resources.home().data).load(dataset)
    filters = Filters(
        classes=(0, 2, 3),
        splits=(Split.TRAIN,),
        copies=CopyFilter.NONE,
        votes=VoteFilter.AGREES,
        brightness=(60, 200),
    )

    def grid() -> dict[str, Any]:
        chosen = gallery.select(dataset, found, overlay, filters)
        shown = gallery.arrange(chosen, Order.SHUFFLED, 0, found)
        return gallery.sheet(dataset, shown[:60], overlay)

    sheet = timed("filter, shuffle and lay out 60 images", grid)
    print(f"    the picture of 60 images: {len(sheet['sprite']) / 1e3:.0f} kB")
    timed("nearest neighbours of one image", lambda: nearest(dataset, 0, 12))
    everything = np.arange(len(dataset))
    labels = np.asarray(dataset.labels)
    timed("draw the map", lambda: charts.image_map(found.map, labels, everything).to_json())


def with_the_model(name: str) -> None:
    dataset, entry = resources.dataset(name), resources.models().active()
    if entry is None:
        print("no model: maps and label errors are left out")
        return
    embedding = ModelEmbedding.load(entry.folder)
    features = timed("features of 2,048 images", lambda: embedding.features(dataset.images[:2048]))
    timed("nearest neighbours by features", lambda: nearest_features(features, features[0], 12))
    for of, read in (("pixels", pixel_features), ("model", embedding.features)):
        for method in Method:
            timed(f"map of the {of}, {method}", partial(make_map, dataset, read, method), repeats=1)
    answers = predict(EmotionClassifier.load(entry.folder), dataset, Split.TEST)
    timed(
        "rank the labels of the test split",
        lambda: find_label_errors(answers.probabilities, answers.labels, answers.indices),
    )


def through_the_router(name: str) -> None:
    state.remember(resources.home(), active_dataset=name)
    router, file = str(PROJECT_ROOT / "streamlit_app.py"), str(PROJECT_ROOT / "pages/dataset.py")
    app = AppTest.from_file(router, default_timeout=60).run()
    timed("page: first view", lambda: app.switch_page(file).run())
    for title in page.TABS:
        app.session_state[look.TABS] = title
        timed(f"page: {title.split()[-1]}", app.run)
    app.session_state[look.TABS] = look.TITLE
    app.run()
    for label in range(3):
        widget = app.multiselect(key="look_classes")
        timed(f"page: a filter ({label})", widget.set_value([label]).run, repeats=1)


def main() -> None:
    name = sys.argv[1] if len(sys.argv) > 1 else "fer2013"
    if name not in resources.datasets().names():
        sys.exit(f"no dataset {name!r} in {resources.home().data}: import it first")
    parts(name)
    with_the_model(name)
    through_the_router(name)


if __name__ == "__main__":
    main()
