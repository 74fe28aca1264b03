"""One report, four formats: nothing is fetched, nothing is executed, nothing of a note is shown unasked."""

import csv
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from deidlab.excerpts import Excerpt
from deidlab.views import flat, html, latex, markdown
from deidlab.views.drawing import draw, history_figure
from deidlab.views.elements import Estimate, P, Section, Table, slug
from deidlab.views.sections import sections


def rows(metric, label, slice="all", f1=0.5):
    return {
        "metric": metric, "label": label, "slice": slice, "precision": f1, "precision_low": f1 - 0.1,
        "precision_high": f1 + 0.1, "recall": None, "f1": f1, "support": 1200,
    }  # fmt: skip


def content(**more):
    leak = {"metric": "char_leak", "label": "micro", "slice": "all", "value": 0.25, "support": 4000}
    return {
        "schema": 1,
        "rows": [
            rows("strict", "micro"), rows("strict", "macro"), rows("strict", "ID_NUM"), rows("hipaa_strict", "micro"),
            leak, {**leak, "label": "ID_NUM"},
            rows("strict", "micro", "ward=a <b>"), rows("strict", "micro", "ward=b"),
        ],
        "losses": [],
        "provenance": {"seed": 1, "libraries": {"numpy": "2"}},
        "intervals": {"level": 0.95, "replicates": 1000, "clusters": 7, "clustered_by": "patient", "none": None},
        "missed_types": [
            {"label": "ID_NUM", "gold": 4, "missed": 2, "share": 1.0, "share_of_missed": 1.0, "ratio": 1.0}
        ],
        "confusion": {"labels": ["ID_NUM"], "matrix": [[2, 2], [1, 0]]},
        "fairness": [
            gap("us", None), gap("hindi", -0.25), gap("us", None, "char_leak"), gap("hindi", -0.125, "char_leak"),
        ],
    } | more  # fmt: skip


def gap(group, difference, metric="strict"):
    return {
        "attribute": "culture", "group": group, "reference": "us", "types": "names", "metric": metric, "documents": 9,
        "support": 8, "recall": 0.5, "recall_low": 0.25, "recall_high": 0.75, "difference": difference,
        "relative": difference, "difference_low": difference, "difference_high": difference,
        "p_value": None if difference is None else 0.0004, "pairs": None if difference is None else 9,
    }  # fmt: skip


class Page(HTMLParser):
    """Collects tags and ids, and what would be fetched or run; a tag left open is an error."""

    VOID = {"meta", "br", "path", "use", "rect"}

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.tags, self.addresses = [], [], set(), []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.ids += [value for name, value in attributes if name == "id"]
        self.addresses += [value for name, value in attributes if name in ("src", "href", "xlink:href", "action")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag


@pytest.fixture(scope="module")
def drawn():
    return draw(content())


def test_every_section_that_names_a_figure_gets_it(drawn):
    named = {section.figure for section in sections(content()) if section.figure}
    assert named == set(drawn) == {
        "types", "leaks", "missed", "confusion", "slice-ward", "fairness-culture-names",
    }  # fmt: skip


def test_html_is_one_file_that_fetches_and_runs_nothing(drawn):
    text = html.render("A <run>", sections(content()), drawn)
    page = Page(text)
    assert page.open == []
    assert not page.tags & {"script", "link", "img", "iframe", "object"}
    assert all(address.startswith("#") for address in page.addresses)
    assert "@import" not in text and not re.search(r"url\((?!#)", text)
    assert len(page.ids) == len(set(page.ids)), "ids of figures must not meet"
    assert "A &lt;run&gt;" in text and "a &lt;b&gt;" in text and "<b>" not in text.replace("<b>0", "")


def test_the_style_sheet_speaks_of_sections_that_there_are():
    style = (Path(html.__file__).parent / "templates" / "page.css").read_text("utf-8")
    meant = set(re.findall(r"#([a-z][a-z-]+)(?=[ :])", style))
    assert meant and meant <= {slug(section.title) for section in sections(content())}


def test_a_line_of_a_gap_table_is_about_one_group():
    (section,) = [section for section in sections(content()) if section.title == "Culture: names only"]
    assert [line[0] for line in section.table.body] == ["us", "hindi"]
    hindi = dict(zip(section.table.header[:6], map(str, section.table.body[1]), strict=False))
    assert (hindi["difference from us"], hindi["relative"], hindi["p"]) == ("-0.2500", "-25.0%", "<0.001")
    assert str(section.table.body[1][7]) == "-0.1250"
    assert section.about.startswith("9 pairs of counterfactual twins")


def test_figures_follow_the_colours_of_the_page_and_are_the_same_every_time(drawn):
    assert all("currentColor" in svg and "#010203" not in svg for svg in drawn.values())
    assert drawn == draw(content())


def test_note_text_is_shown_only_when_asked_for():
    excerpt = Excerpt("note-1", "missed", 5, 8, "ID_NUM", "the <i>", "Zyx", " end")
    shown = html.render("t", [], excerpts=[excerpt])
    assert "the &lt;i&gt;<mark>Zyx</mark> end" in shown and html.TEXT_WARNING in shown
    assert html.TEXT_WARNING not in html.render("t", [])


def test_a_table_in_markdown():
    table = Table(("type", "F1", "support"), (("A|B", Estimate(0.5, 0.25, 0.75), 1200), ("C", Estimate(None), None)))
    assert markdown.table(table) == [
        "| type | F1 | support |",
        "| --- | ---: | ---: |",
        "| A\\|B | 0.5000 (0.2500 to 0.7500) | 1,200 |",
        "| C | - |  |",
    ]


def test_a_table_in_latex():
    table = Table(("type", "F1", "difference"), (("ID_NUM", Estimate(0.5, 0.25, 0.75), Estimate(-0.1, signed=True)),))
    text = latex.table(Section("Types & all", "100 %", table))
    assert r"\begin{tabular}{lrr}" in text
    assert r"ID\_NUM & 0.5000 {\scriptsize [0.2500, 0.7500]} & $-$0.1000 \\" in text
    assert r"\caption{Types \& all. 100 \%}" in text
    assert text.count(r"\toprule") == text.count(r"\midrule") == text.count(r"\bottomrule") == 1


def test_every_table_in_latex_is_whole():
    text = latex.render("A {run} of 100 % & more", sections(content()))
    bare = re.sub(r"\\[\\{}&%$#_]", "", re.sub(r"(?m)^%.*", "", text))
    depth = 0
    for c in bare:
        depth += (c == "{") - (c == "}")
        assert depth >= 0
    assert depth == 0 and not set("#_%~^") & set(bare)
    opened = []
    for what, name in re.findall(r"\\(begin|end)\{(\w+)\}", text):
        assert what == "begin" or opened.pop() == name
        opened += [name] * (what == "begin")
    assert not opened
    for columns, body in re.findall(
        r"\\begin\{(?:tabular|longtable)\}\{((?:\w|\{[^}]*\})+)\}(.*?)\\bottomrule", text, re.DOTALL
    ):
        lines = [line for line in body.splitlines() if line.endswith(r"\\") and r"\caption" not in line]
        columns = re.sub(r"\{[^}]*\}", "", columns)
        assert lines and {len(re.findall(r"(?<!\\)&", line)) for line in lines} == {len(columns) - 1}


def test_a_long_text_in_latex_is_broken_into_lines():
    table = Table(("what", "which"), (("a", "b" * 100),))
    assert r"\begin{tabular}{lp{.7\linewidth}}" in latex.table(Section("t", "", table))


def test_a_long_table_in_latex_breaks_over_pages():
    table = Table(("n",), tuple((i,) for i in range(100)))
    assert r"\begin{longtable}{r}" in latex.table(Section("Long", "", table))


def test_rows_as_csv():
    lines = list(csv.DictReader(io.StringIO(flat.render(content()["rows"]))))
    assert len(lines) == len(content()["rows"])
    assert (lines[0]["precision_low"], lines[0]["recall"], lines[0]["value"]) == ("0.4", "", "")


def test_the_interval_note_says_how_or_why_not():
    assert "1,000 bootstrap draws of 7 clusters (patient)" in sections(content())[0].about
    none = {**content()["intervals"], "none": "no interval: 1 patient or document; at least 2 are needed"}
    assert sections(content(intervals=none))[0].about == "No interval: 1 patient or document; at least 2 are needed."
    assert sections(content(intervals=None))[0].about == ""


def test_a_report_of_an_earlier_day_can_still_be_shown():
    old = {key: value for key, value in content().items() if key in ("schema", "rows", "losses", "provenance")}
    titles = [section.title for section in sections(old)]
    assert titles[0] == "Overall (micro)" and titles[-1] == "Provenance"


def test_numbers_as_they_are_shown():
    assert str(Estimate(0.12346)) == "0.1235"
    assert str(Estimate(-0.00001, signed=True)) == "+0.0000"
    assert str(Estimate(-0.25, signed=True, percent=True, digits=1)) == "-25.0%"
    assert (str(P(0.0004)), str(P(0.25)), str(P(None))) == ("<0.001", "0.250", "-")


def test_training_is_drawn_where_there_is_something_to_see():
    history = [{"step": i, "validation_strict_f1": i / 10} for i in (1, 2)]
    assert "<svg" in history_figure(history)
    assert history_figure(history[:1]) is None
    assert history_figure([{"step": i, "validation_strict_f1": None} for i in (1, 2)]) is None
