import pytest
from streamlit.testing.v1 import AppTest

LISTED = [7, 3, 9, 4, 5]


def page() -> None:
    """A list of images in pages of two, and the large view below it."""
    import numpy as np
    import streamlit as st

    from app.dataset_page.grid import Pages
    from app.dataset_page.walk import Walk
    from tests.app.dataset_page.test_walk import LISTED

    walk, pages, listed = Walk("walk"), Pages("page", 2), np.array(LISTED)
    st.caption(f"On the page: {listed[pages.shown(len(listed))].tolist()}")
    if walk.index is None:
        walk.start(9, listed, pages)
    walk.steps(walk.index or 0)
    st.button("Close", key="close", on_click=walk.close)
    st.button("Another", key="another", on_click=walk.go, args=(100,))
    st.caption(f"Begins at {walk.resumed(listed)}, another list at {walk.resumed(np.array([1]))}")


@pytest.fixture
def app() -> AppTest:
    return AppTest.from_function(page).run()


def captions(app: AppTest) -> list[str]:
    return [caption.value for caption in app.caption]


def test_steps_go_through_the_list_in_its_order(app: AppTest) -> None:
    seen = [app.session_state["walk_index"]]
    while not app.button(key="walk_after").disabled:
        app.button(key="walk_after").click().run()
        seen.append(app.session_state["walk_index"])
    assert seen == [9, 4, 5]
    app.button(key="walk_before").click().run()
    assert app.session_state["walk_index"] == 4
    assert app.number_input(key="walk_place").value == 4
    assert "of 5" in captions(app)


def test_a_place_is_gone_to(app: AppTest) -> None:
    app.number_input(key="walk_place").set_value(1).run()
    assert app.session_state["walk_index"] == 7
    assert app.button(key="walk_before").disabled


def test_when_closed_the_page_of_the_image_is_turned_to(app: AppTest) -> None:
    assert "On the page: [7, 3]" in captions(app)
    app.button(key="walk_after").click().run()
    app.button(key="close").click().run()
    assert "On the page: [9, 4]" in captions(app)


def test_from_another_image_the_way_back_is_to_where_one_was(app: AppTest) -> None:
    app.button(key="walk_after").click().run()
    app.button(key="another").click().run()
    assert app.session_state["walk_index"] == 100
    assert app.button(key="walk_back").label == "Back to the list"
    app.button(key="walk_back").click().run()
    assert app.session_state["walk_index"] == 4


def test_a_list_is_begun_where_it_was_left(app: AppTest) -> None:
    app.button(key="walk_after").click().run()
    assert "Begins at 4, another list at 1" in captions(app)
    app.button(key="another").click().run()
    assert "Begins at 4, another list at 1" in captions(app)


def test_one_image_alone_needs_no_steps() -> None:
    def alone() -> None:
        import numpy as np

        from app.dataset_page.walk import Walk

        walk = Walk("walk")
        walk.start(3, np.array([3]))
        walk.steps(3)
        walk.close()

    app = AppTest.from_function(alone).run()
    assert not app.exception
    assert not app.button
