"""How long the review page takes to open a queue of 10,000 notes, to scroll its list, and to save a decision.

    python scripts/benchmark_review.py [--notes 10000] [--out experiments/review_speed]

Writes `results.json` and the table of `README.md` there. The page's figures need playwright and chromium
(`.[browser]`), and are left out without.
"""

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from deidlab import experiments, runs
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
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--notes", type=int, default=10_000)
    parser.add_argument("--out", type=Path, help="the folder of results.json; nothing is kept without")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "queue.jsonl"
        write_long(path, args.notes)
        rows = [*opened(path), *(in_browser(path) or [])]
    about = f"{args.notes:,} notes of 500 words and 20 spans"
    for what, bar, measured in rows:
        print(f"{what}: {measured}" + (f" (bar {bar})" if bar else ""))
    if args.out is not None:
        content = {"notes": about, "hardware": experiments.hardware(), "load": os.getloadavg()[0],
                   "columns": ["what", "bar", "measured"], "rows": rows}  # fmt: skip
        runs.write_json(args.out / "results.json", content)
        experiments.renew(args.out / "README.md")


def opened(path: Path) -> list[list[Any]]:
    """Opening the queue file, without any page."""
    wall, cpu = time.perf_counter(), time.process_time()
    Queue(path).close()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    size = f"the file opened and indexed, {path.stat().st_size / 1e6:.0f} MB"
    return [[size, "< 1 s", f"{wall:.2f} s ({cpu:.2f} s of processor)"]]


def in_browser(path: Path) -> list[list[Any]] | None:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        chromium = None
    if chromium is None:
        print("no playwright or no chromium: the page was not opened", file=sys.stderr)
        return None
    with sync_playwright() as driver:
        return browse(driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"]), path)


def write_long(path: Path, notes: int) -> None:
    """The same note under as many ids."""
    text = " ".join(["Mr Smith was seen by Dr Jones on 03/04/2012 for"] * 50)
    starts = range(0, len(text) - 50, len(text) // 20)
    spans = tuple(Span(start, start + 5, ("PATIENT", "DOCTOR", "DATE")[start % 3], 0.875) for start in starts)
    line = to_line(QueuedNote(Document("n-0", text, spans), (Question(spans[0], "likely_false_alarm", 0.5),), 1))
    with path.open("w", encoding="utf-8") as file:
        file.writelines(line.replace('"n-0"', f'"n-{number}"', 1) for number in range(notes))


def browse(browser, path: Path) -> list[list[Any]]:
    """Open the page of a real server, scroll through all notes, and decide with held-down keys."""
    command = [sys.executable, "-m", "deidlab", "review", str(path), "--reviewer", "Ada"]
    began = time.perf_counter()
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert server.stderr is not None
        link = re.search(r"http\S+", server.stderr.readline())
        assert link is not None
        started = time.perf_counter() - began
        page = browser.new_page()
        page.set_default_timeout(120_000)
        page.goto(link[0])
        page.wait_for_selector("mark.current")
        devtools = page.context.new_cdp_session(page)
        devtools.send("Performance.enable")
        loads, work = [], []
        for _ in range(5):
            began, used = time.perf_counter(), processor_time(devtools, server.pid)
            page.reload()
            page.wait_for_selector("mark.current")
            loads.append(time.perf_counter() - began)
            work.append(processor_time(devtools, server.pid) - used)
        steps = page.evaluate(SCROLLED)
        began = time.perf_counter()
        for turn in range(20):
            page.keyboard.press(("ArrowRight", "ArrowLeft")[turn % 2])
            page.evaluate(SETTLED)
        decision = (time.perf_counter() - began) / 20
        shown = f"{statistics.median(loads):.2f} s ({statistics.median(work):.2f} s of processor, page and server)"
        scrolled = f"median {statistics.median(steps):.1f} ms, slowest {max(steps):.1f} ms"
        return [
            ["`deidlab review` started, up to its link", "", f"{started:.2f} s"],
            ["the page, list and first note shown, median of 5", "< 1 s", shown],
            ["a step of scrolling through the list, 100 of them", "16 ms", scrolled],
            ["a decision by key: on the disk, and shown", "", f"{decision * 1000:.0f} ms"],
        ]
    finally:
        server.terminate()
        server.wait()
        browser.close()


def processor_time(devtools: Any, server: int) -> float:
    """Seconds that the page's own process and the server have computed, whatever else the machine was busy with."""
    told = {one["name"]: one["value"] for one in devtools.send("Performance.getMetrics")["metrics"]}
    spent = psutil.Process(server).cpu_times()
    return told["ProcessTime"] + spent.user + spent.system


if __name__ == "__main__":
    main()
