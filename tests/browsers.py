"""A real headless Chromium, without network, and what the tests ask of every page that it opens."""

import contextlib
import importlib
import os
import shutil
from importlib import metadata

import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_SERIOUS = {"serious", "critical"}

CUT = """() => [...document.querySelectorAll('h1, p, td, th, dt, dd, li')]
    .filter((one) => one.offsetParent && one.scrollWidth > one.clientWidth + 1).map((one) => one.textContent)"""
"""Texts that are wider than their box."""


def missing(reason):
    """Skip for want of a browser; fail where one is required."""
    if os.environ.get("QPVGEO_REQUIRE_BROWSER", "") not in {"", "0"}:
        pytest.fail(reason)
    pytest.skip(reason)


def printing():
    """Skip where a PDF cannot be made: WeasyPrint, or a library of the system that it needs, is missing."""
    try:
        importlib.import_module("weasyprint")
    except (ImportError, OSError) as error:
        missing(f"WeasyPrint cannot be loaded: {str(error).splitlines()[0]}")


@contextlib.contextmanager
def chromium():
    """Chromium of the system, driven by Playwright."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("Playwright is not installed: pip install playwright")
    path = os.environ.get("QPVGEO_CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        missing("no Chromium: `make browser` installs it, QPVGEO_CHROMIUM names one")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        try:
            yield browser
        finally:
            browser.close()


class Visit:
    """A page opened from disk, with the network cut, and what it did that it should not."""

    def __init__(self, browser, path, *, script=True, address="", width=1280, height=860, touch=False):
        self.context = browser.new_context(
            viewport={"width": width, "height": height}, offline=True, java_script_enabled=script, has_touch=touch
        )
        self.tab = self.context.new_page()
        self.faults, self.requests = [], []
        self.tab.on("console", lambda one: self.faults.append(one.text) if one.type in {"error", "warning"} else None)
        self.tab.on("pageerror", lambda one: self.faults.append(str(one)))
        self.tab.on("request", lambda one: self.requests.append(one.url))
        self.tab.goto(path.as_uri() + address)

    def settled(self):
        """Wait until what was asked for is drawn."""
        self.tab.evaluate("() => new Promise((done) => setTimeout(done, 350))")

    def serious_faults(self):
        """Rules of axe that the page breaks seriously, with the elements that do."""
        try:
            held = metadata.distribution("axe-playwright-python")
        except metadata.PackageNotFoundError:
            missing("axe is not installed: pip install axe-playwright-python")
        self.tab.evaluate(held.locate_file("axe_playwright_python/axe.min.js").read_text(encoding="utf-8"))
        found = self.tab.evaluate(
            "() => axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'best-practice']})"
        )
        return [
            (one["id"], node["target"])
            for one in found["violations"]
            if one["impact"] in _SERIOUS
            for node in one["nodes"]
        ]

    def foreign(self):
        """Addresses asked for beyond the file itself."""
        return [url for url in self.requests if not url.startswith(("file:", "data:", "blob:"))]

    def close(self):
        self.context.close()
