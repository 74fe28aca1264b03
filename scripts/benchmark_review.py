"""How long the review page takes to open a queue of 10,000 notes, to scroll its list, and to save a decision.

    python scripts/benchmark_review.py [NOTES]

The page's figures need playwright and chromium (`.[browser]`), and are left out without.
"""

import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from deidlab.review.queue import Question, Queue, QueuedNote, to_line
from deidlab.types import Document, Span

SCROLLED = """async () => {
  const list = document.querySelector('#list');
  const steps = [];
  for (let i = 0; i <= 100; i++) {
    const began = performance.now();
    list.scrollTop = i / 100 * list.scrollHeight;
    list.dispatchEvent(new Event('scroll'));
    list.getBoundingClientRect();
    steps.push(performance.now() - began);
    await new Promise(requestAnimationFrame);
  }
  return steps;
}"""
SETTLED = "import('/page.js').then((page) => page.settled())"


def main() -> None:
    notes = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "queue.jsonl"
        write_long(path, notes)
        wall, cpu = time.perf_counter(), time.process_time()
        Queue(path).close()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        print(f"{notes:,} notes of 500 words, {path.stat().st_size / 1e6:.0f} MB")
        print(f"queue opened: {wall:.2f} s, of CPU time {cpu:.2f} s")
        chromium = shutil.which("chromium") or shutil.which("google-chrome")
        try:
            from playwright.sync_api import sync_playwright
        except ImportError:
            chromium = None
        if chromium is None:
            print("no playwright or no chromium: the page was not opened")
            return
        with sync_playwright() as driver:
            browse(driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"]), path)


def write_long(path: Path, notes: int) -> None:
    """The same note under as many ids."""
    text = " ".join(["Mr Smith was seen by Dr Jones on 03/04/2012 for"] * 50)
    starts = range(0, len(text) - 50, len(text) // 20)
    spans = tuple(Span(start, start + 5, ("PATIENT", "DOCTOR", "DATE")[start % 3], 0.875) for start in starts)
    line = to_line(QueuedNote(Document("n-0", text, spans), (Question(spans[0], "likely_false_alarm", 0.5),), 1))
    with path.open("w", encoding="utf-8") as file:
        file.writelines(line.replace('"n-0"', f'"n-{number}"', 1) for number in range(notes))


def browse(browser, path: Path) -> None:
    """Open the page of a real server, scroll through all notes, and decide with held-down keys."""
    command = [sys.executable, "-m", "deidlab", "review", str(path), "--reviewer", "Ada"]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert server.stderr is not None
        link = re.search(r"http\S+", server.stderr.readline())
        assert link is not None
        page = browser.new_page()
        page.set_default_timeout(120_000)
        page.goto(link[0])
        page.wait_for_selector("mark.current")
        began = time.perf_counter()
        page.reload()
        page.wait_for_selector("mark.current")
        print(f"page loaded again, first note shown: {time.perf_counter() - began:.2f} s")
        steps = page.evaluate(SCROLLED)
        print(f"a step of scrolling: median {statistics.median(steps):.1f} ms, slowest {max(steps):.1f} ms")
        began = time.perf_counter()
        for turn in range(20):
            page.keyboard.press(("ArrowRight", "ArrowLeft")[turn % 2])
            page.evaluate(SETTLED)
        print(f"a decision, on the disk and shown: {(time.perf_counter() - began) / 20 * 1000:.0f} ms")
    finally:
        server.terminate()
        server.wait()
        browser.close()


if __name__ == "__main__":
    main()
