"""The page in a real browser (Debian's chromium, driven by playwright): reviewed with the keyboard alone.

`DEIDLAB_SCREENSHOTS=FOLDER` keeps pictures of it.
"""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deidlab.review.decisions import journal_of, read
from deidlab.review.desk import Opinions
from deidlab.review.queue import Question, Queue, QueuedNote, write
from deidlab.types import Document, Span

playwright = pytest.importorskip(
    "playwright.sync_api", reason='playwright is not installed: pip install -e ".[browser]"'
)
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the PATH: apt-get install chromium")

SMITH, DATE, BELL, JONES = (
    Span(3, 8, "PATIENT"), Span(26, 36, "DATE"), Span(50, 54, "PATIENT"), Span(43, 48, "DOCTOR"),
)  # fmt: skip


@pytest.fixture(scope="module")
def chromium() -> Iterator:
    with playwright.sync_playwright() as driver:
        # Chromium's own sandbox does not run as root, in containers; the page is ours.
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium, served) -> Callable[..., object]:
    """The page of a review: `with opened() as page`. Nothing goes wrong in it, nothing comes from elsewhere."""

    @contextmanager
    def go(*arguments, **settings):
        with served(*arguments) as review:
            context = chromium.new_context(reduced_motion="reduce", **settings)
            page = context.new_page()
            page.set_default_timeout(90_000)
            wrong: list[str] = []
            page.on("pageerror", lambda error: wrong.append(str(error)))
            page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
            page.on("request", lambda one: wrong.append(one.url) if not one.url.startswith(review.address) else None)
            page.goto(review.link)
            page.wait_for_selector("#note-id:not(:empty)")
            page.review = review
            yield page
            # A refusal shows in the console, too.
            assert not [one for one in wrong if not one.startswith(("data:image", "Failed to load resource"))]
            context.close()

    return go


def picture(page, name: str) -> None:
    if folder := os.environ.get("DEIDLAB_SCREENSHOTS"):
        page.wait_for_timeout(400)
        page.screenshot(path=Path(folder) / f"{name}.png")


def press(page, *keys: str) -> None:
    """Press keys one after the other, each when the one before has been answered."""
    for key in keys:
        page.keyboard.press(key)
        settled(page)


def settled(page) -> None:
    """Wait until the page has done what it was asked to."""
    page.evaluate("import('/page.js').then((page) => page.settled())")


def answer(queue_file: Path, number: int = 0, who: str = "Ada") -> set[Span]:
    opinions = Opinions.read(Queue(queue_file), read(journal_of(queue_file)))
    return set(opinions.answer(number, who).spans)


def done(queue_file: Path, who: str = "Ada") -> list[int]:
    return Opinions.read(Queue(queue_file), read(journal_of(queue_file))).done(who)


def test_a_note_is_reviewed_without_a_mouse(opened, queue_file):
    with opened() as page:
        assert page.inner_text("mark.current").startswith("Jones")  # the first question
        assert page.evaluate("document.activeElement.textContent") == "Jones"
        assert "?" not in page.url and "token" not in page.url
        press(page, "a")  # on to the next question
        assert page.evaluate("document.activeElement.textContent") == "Bell"
        press(page, "r")
        assert answer(queue_file) == {SMITH, DATE, JONES}
        assert page.inner_text("#note-state") == "No open question"

        # The end by a character and by a word; the start as well; back again.
        press(page, "j", "j")
        assert page.evaluate("document.activeElement.textContent") == "03/04/2012"
        press(page, "ArrowLeft")
        assert Span(26, 35, "DATE") in answer(queue_file)
        press(page, "ArrowRight", "Control+ArrowRight")
        assert Span(26, 39, "DATE") in answer(queue_file)
        press(page, "u", "Shift+ArrowLeft", "Control+Shift+ArrowLeft")
        assert Span(23, 36, "DATE") in answer(queue_file)
        press(page, "u", "u")
        assert answer(queue_file) == {SMITH, DATE, JONES}

        # Another type.
        press(page, "k")
        page.keyboard.press("t")
        page.wait_for_selector("#types[open]")
        page.keyboard.type("doc")
        press(page, "Enter")
        assert answer(queue_file) == {Span(3, 8, "DOCTOR"), DATE, JONES}

        # The caret: to the word behind the span, which is an age, and is marked as a date.
        press(page, "s")
        for key in ("Control+ArrowRight", "ArrowRight", "ArrowRight"):
            page.keyboard.press(key)
        page.keyboard.type("no letter gets into the note")
        page.keyboard.press("Enter")
        page.wait_for_selector("#types[open]")
        page.keyboard.type("dat")
        press(page, "Enter")
        assert answer(queue_file) == {Span(3, 8, "DOCTOR"), Span(10, 12, "DATE"), DATE, JONES}
        assert page.inner_text("#progress-text") == "0 of 3"

        press(page, "Enter")
        assert page.inner_text("#note-id") == "n-2"
        assert (done(queue_file), page.inner_text("#progress-text")) == ([0], "1 of 3")
        press(page, "Enter", "Enter")
        assert done(queue_file) == [0, 1, 2]
        assert "All notes are finished" in page.inner_text("#said")


def test_a_note_with_open_questions_is_finished_only_on_purpose(opened, queue_file):
    with opened() as page:
        press(page, "Enter")
        assert "2 questions are open" in page.inner_text("#said") and not done(queue_file)
        press(page, "Shift+Enter")
        assert (page.inner_text("#note-id"), done(queue_file)) == ("n-2", [0])
        press(page, "u")  # and goes back to it
        assert (page.inner_text("#note-id"), done(queue_file)) == ("n-1", [])


def test_the_list_and_the_search_need_no_mouse_either(opened):
    with opened() as page:
        press(page, "g")
        for key in ("ArrowDown", "ArrowDown"):
            page.keyboard.press(key)
        press(page, "Enter")
        assert page.inner_text("#note-id") == "n-3"
        press(page, "/")
        page.keyboard.type("N-2")
        press(page, "Enter")
        assert page.inner_text("#note-id") == "n-2"
        press(page, "Escape", "?")
        assert "next open question" in page.inner_text("#help[open]")
        press(page, "Escape")
        assert not page.is_visible("#help")


def test_offsets_count_characters_as_python_does(opened, tmp_path):
    """An emoji is two units of a browser's strings, a combined one more; here are \\r\\n and right-to-left, too."""
    text = "👩‍⚕️🙂 Zoë\r\n\tSmith\U0001f600 saw محمد on Monday"
    spans = tuple(Span(text.index(word), text.index(word) + len(word), "PATIENT", 0.5) for word in ("Zoë", "محمد"))
    path = tmp_path / "other.jsonl"
    write([QueuedNote(Document("n-1", text, spans), (Question(spans[1], "likely_false_alarm", 1),))], path)
    with opened(path) as page:
        assert page.inner_text("mark.current") == "محمد"
        assert page.evaluate("document.querySelector('#note').textContent") == text
        start = text.index("Smith")
        page.evaluate(
            """() => { const text = [...document.querySelector('#note > div').childNodes]
              .map((node) => node.nodeType === 3 ? node : node.firstChild).find((node) => node.data.includes('Smith'));
              const at = text.data.indexOf('Smith'); getSelection().setBaseAndExtent(text, at, text, at + 5); }"""
        )
        page.keyboard.press("s")
        page.wait_for_selector("#types[open]")
        press(page, "Enter")
        assert Span(start, start + 5, "PATIENT") in answer(path)


def test_another_page_that_decided_meanwhile_is_not_written_over(opened, queue_file):
    with opened() as page:
        other = page.context.new_page()
        other.set_default_timeout(90_000)
        other.goto(f"{page.review.address}#Ada")
        other.wait_for_selector("mark.current")
        press(other, "r")
        page.bring_to_front()
        page.evaluate("window.onfocus = null")
        page.keyboard.press("t")
        page.wait_for_selector("#types[open]")
        decided = len(read(journal_of(queue_file)))
        page.keyboard.type("date")
        press(page, "Enter")
        settled(page)
        # Told, or, where the page had looked again before, seen.
        assert decided == 1
        assert "look again" in page.inner_text("#said").lower() or page.is_visible("mark.rejected")


def test_two_reviewers_see_where_they_differ_when_both_have_finished(opened, queue_file):
    with opened() as page:
        press(page, "a", "r", "Enter")  # Jones is one, Bell is none
        page.click("#reviewer-button")
        page.fill("#who-name", "Ben")
        press(page, "Enter")
        assert (page.inner_text("#note-id"), page.inner_text("#progress-text")) == ("n-1", "0 of 3")
        assert page.locator("#note :is(.accepted, .rejected, .differ)").count() == 0
        press(page, "a", "a", "Enter")
        assert "Another reviewer sees some spans otherwise" in page.inner_text("#said")
        assert page.inner_text("#note-id") == "n-1"
        assert page.evaluate("document.activeElement.textContent") == "Bell"
        assert page.inner_text("#span-others") == "Ada sees it otherwise."
        picture(page, "differ")
        page.click("#agreement-button")
        settled(page)
        cells = page.locator("#agreement td").all_inner_texts()
        assert cells[:3] == ["Ada, Ben", "1", f"{2 * 3 / (3 + 4):.3f}"] and cells[4] == "n-1"
        press(page, "Escape", "r")
        assert page.locator("#note .differ").count() == 0
        assert answer(queue_file, who="Ben") == answer(queue_file, who="Ada") == {SMITH, DATE, JONES}


def test_a_page_of_before_a_restart_says_that_it_must_be_reloaded(opened, queue_file):
    with opened() as page:
        page.review.kill()
        press(page, "a")
        assert "does not answer" in page.inner_text("#trouble")
        assert answer(queue_file) == {SMITH, DATE, BELL}


CONTRAST = """() => {
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
  const over = (colours) => {
    canvas.clearRect(0, 0, 1, 1);
    for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
    return [...canvas.getImageData(0, 0, 1, 1).data.slice(0, 3)];
  };
  const light = (rgb) => rgb.map((c) => c / 255).map((c) => c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [.2126, .7152, .0722][i], 0);
  const grounds = (element) =>
    element ? [...grounds(element.parentElement), getComputedStyle(element).backgroundColor] : [];
  const faint = [];
  const check = (element, pseudo) => {
    const style = getComputedStyle(element, pseudo);
    const [text, ground] = [over([...grounds(element), style.color]), over(grounds(element))].map(light);
    const ratio = (Math.max(text, ground) + .05) / (Math.min(text, ground) + .05);
    const name = `${element.tagName}#${element.id}.${element.className}${pseudo ?? ''}`;
    if (ratio < 4.5) faint.push(`${name} ${ratio.toFixed(2)}`);
  };
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (own && element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) check(element);
    if (element.matches('mark.last')) check(element, '::after');
  }
  return faint;
}"""
NAMELESS = """() => [...document.querySelectorAll('button, input, select, progress, dialog, [role]')]
  .filter((one) => one.checkVisibility() && !one.matches('[role=presentation], [role=status], [role=alert]'))
  .filter((one) => !(one.getAttribute('aria-label') || one.getAttribute('aria-labelledby') || one.innerText?.trim()
    || one.labels?.length))
  .map((one) => one.outerHTML.slice(0, 80))"""
SCROLLED = """async () => {
  const list = document.querySelector('#list');
  const steps = [];
  for (let i = 0; i <= 60; i++) {
    const began = performance.now();
    list.scrollTop = i / 60 * list.scrollHeight;
    list.dispatchEvent(new Event('scroll'));
    list.getBoundingClientRect();
    steps.push(performance.now() - began);
    await new Promise(requestAnimationFrame);
  }
  return steps.sort((a, b) => a - b);
}"""
WIDER = """(name) => { const one = document.querySelector(name); return one.scrollWidth - one.clientWidth; }"""


@pytest.fixture
def motley(tmp_path) -> Path:
    """A note with a span of every group of types, of every confidence, asked about and not."""
    labels = ["PATIENT", "HOSPITAL", "DATE", "AGE", "PHONE", "IDNUM", "PROFESSION", "OTHER"]
    words = [f"{label.title()}{i}" for label in labels for i in range(4)]
    text, spans, questions = " ".join(words), [], []
    for i, word in enumerate(words):
        span = Span(text.index(word), text.index(word) + len(word), labels[i // 4], (0.95, 0.7, 0.4, 0.3)[i % 4])
        if i % 4 < 3:
            spans.append(span)
        if i % 4 > 1:
            questions.append(Question(span, "likely_false_alarm" if i % 4 == 2 else "likely_miss", 1))
    write([QueuedNote(Document("n-1", text, tuple(spans)), tuple(questions), 1)], tmp_path / "motley.jsonl")
    return tmp_path / "motley.jsonl"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(1360, 860), (820, 700), (360, 740)])
def test_all_can_be_read_and_reached_in_light_and_dark_on_wide_and_narrow_screens(
    opened, motley, scheme, width, height
):
    with opened(motley, viewport={"width": width, "height": height}, color_scheme=scheme) as page:
        press(page, "a", "r", "j")
        assert page.evaluate(CONTRAST) == []
        assert page.evaluate(NAMELESS) == []
        assert [page.evaluate(WIDER, part) for part in ("html", "#inspector", "#note")] == [0, 0, 0]
        for command in ("accept", "reject", "retype", "add", "undo", "finish", "startBack", "endOn", "nextQuestion"):
            box = page.locator(f"[data-command={command}]").bounding_box()
            assert box["x"] >= 0 and box["x"] + box["width"] <= width, command
            assert box["y"] >= 0 and box["y"] + box["height"] <= height, command
            assert box["height"] >= 24 and box["width"] >= 24, command  # WCAG 2.2, target size
        assert page.locator("#note").bounding_box()["height"] >= 0.3 * height
        # What has the keyboard shows it.
        page.keyboard.press("Tab")
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
        picture(page, f"motley-{scheme}-{width}")
        press(page, "?")
        assert page.evaluate(CONTRAST) == []


def test_ten_thousand_notes_open_at_once_and_scroll(opened, long_queue, record_property):
    """The bar is a second on an idle machine: what is asserted leaves room for a busy one."""
    with opened(long_queue) as page:
        began = time.perf_counter()
        page.reload()
        page.wait_for_selector("mark.current")
        opened_in = time.perf_counter() - began
        rows = "document.querySelectorAll('#list [role=option]').length"
        assert page.inner_text("#progress-text") == "0 of 10,000"
        assert page.evaluate(rows) < 80
        steps = page.evaluate(SCROLLED)
        assert page.evaluate(rows) < 80
        assert page.locator("#list [aria-posinset='10000']").is_visible()
        record_property("seconds_to_open", opened_in)
        record_property("median_and_slowest_scroll_ms", (steps[len(steps) // 2], steps[-1]))
        assert opened_in < 20 and steps[len(steps) // 2] < 50
