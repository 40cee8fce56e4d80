from app import plain_html


def test_text_from_outside_is_no_markup() -> None:
    nasty = "<b>&\"'"
    safe = "&lt;b&gt;&amp;&quot;&#x27;"
    assert f'<dd class="figure">{safe}</dd>' in plain_html.figures([("a", nasty, "c")])
    assert plain_html.figures([(nasty, "b", nasty)]).count(safe) == 2
    assert f"<dt>{safe}</dt><dd>{safe}</dd>" in plain_html.facts([(nasty, nasty)])
    table = plain_html.table([{nasty: nasty, "b": nasty}], label=nasty)
    assert table.count(safe) == 4
    assert nasty not in table


def test_a_table_has_a_heading_for_each_column_and_row() -> None:
    table = plain_html.table(
        [{"Run": "one", "Note": ""}, {"Run": "two", "Note": "stopped"}], label="Runs"
    )
    assert '<th scope="col">Run</th><th scope="col">Note</th>' in table
    assert '<tr><th scope="row">one</th><td></td></tr>' in table
    assert '<tr><th scope="row">two</th><td>stopped</td></tr>' in table


def test_numbers_stand_to_the_right_and_names_behind_their_signs() -> None:
    rows = [{"Run": "one", "Epochs": "12"}, {"Run": "two", "Epochs": "9"}]
    table = plain_html.table(
        rows, numbers={"Epochs"}, signs=[("●", "#112233"), ("◆", "#445566")], label="Two runs"
    )
    assert 'tabindex="0" role="region" aria-label="Two runs"' in table
    assert '<th scope="col">Run</th><th scope="col" class="number">Epochs</th>' in table
    assert '<span style="color: #445566" aria-hidden="true">◆</span> two</th>' in table
    assert table.count('<td class="number">') == 2
    assert '"number"' not in plain_html.table(rows, label="Two runs")
