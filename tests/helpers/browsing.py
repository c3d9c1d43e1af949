"""`mem browse` without a terminal: keys go in, and the screen comes out as text."""

import asyncio
import os
import time
from functools import partial

from memcli.cli.browse.browse_app import BrowseApp
from memcli.cli.browse.typed_options import Browsing
from memcli.cli.models.open import open_first_stage


class Browser:
    """The app on a screen of a size, driven by a test."""

    def __init__(self, app, pilot):
        self.app = app
        self._pilot = pilot

    async def press(self, *keys):
        await self._pilot.press(*keys)
        await self.settle()

    async def type(self, text):
        await self.press(*("space" if letter == " " else letter for letter in text))

    async def settle(self):
        """Wait until no search, preview or load is under way."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            await self._pilot.pause()
            if not any(worker.is_running for worker in self.app.workers):
                return
            await asyncio.sleep(0.01)
        raise AssertionError([worker.name for worker in self.app.workers])

    @property
    def lines(self):
        """The screen, a text a line, without trailing blanks."""
        strips = self.app.screen._compositor.render_strips(self.app.size)
        return ["".join(one.text for one in strip).rstrip() for strip in strips]

    @property
    def screen(self):
        return "\n".join(self.lines)

    @property
    def styles(self):
        """The segments of the screen that have a style of some kind: (text, style)."""
        strips = self.app.screen._compositor.render_strips(self.app.size)
        return [(one.text, one.style) for strip in strips for one in strip if one.style]

    @property
    def titles(self):
        return [one.heading for one in self.app.sessions.results.sessions]


def browse(mem, use, *, words="", filters="", width=100, height=30, pager=print):
    """Run `use(browser)` in the app; return the reference that was chosen.

    The settings are those of `mem`: no others are looked at.
    """
    browsing = Browsing(
        mem.database, partial(open_first_stage, mem.database), pager, words=words, filters=filters
    )

    async def main():
        app = BrowseApp(browsing)
        async with app.run_test(size=(width, height)) as pilot:
            browser = Browser(app, pilot)
            await browser.settle()
            await use(browser)
        return app.return_value

    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(mem.environment)
    try:
        return asyncio.run(main())
    finally:
        os.environ.clear()
        os.environ.update(before)
