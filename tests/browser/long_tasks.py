"""The longest task of a page, which is the time for which the page does not answer to a click."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page

MOST_MS = 200
_MOST_TRIES = 3
"""A busy machine delays a task now and then; a slow page does so in every run."""
_WATCH = """
  window.longest = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) window.longest = Math.max(window.longest, entry.duration);
  }).observe({ type: "longtask", buffered: true });
"""


def watch(page: Page) -> None:
    """Let the page note its longest task from now on."""
    page.evaluate(_WATCH)


def longest_tasks_ms(page: Page, work: Callable[[], object]) -> list[float]:
    """Return the longest task in each run of `work`, in ms; after a long one `work` runs again, three times at most."""
    longest: list[float] = []
    while not longest or (longest[-1] >= MOST_MS and len(longest) < _MOST_TRIES):
        page.evaluate("window.longest = 0")
        work()
        longest.append(float(page.evaluate("window.longest")))
    return longest
