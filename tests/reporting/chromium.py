"""A page as Chromium shows it, asked through the DevTools pipe: no package is needed for that."""

import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
SECONDS = 60
_FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-pipe")

_MEASURE = """(() => {
  document.querySelectorAll("details").forEach(box => box.open = true);
  const width = document.documentElement.clientWidth;
  const named = element => `${element.outerHTML.slice(0, 60)} … ${element.textContent.slice(0, 60)}`;
  const scrolls = element => ["auto", "scroll"].includes(getComputedStyle(element).overflowX);
  const boxed = element => element.parentElement && (scrolls(element.parentElement) || boxed(element.parentElement));
  const all = [...document.body.querySelectorAll("*")], images = [...document.images];
  const out = box => box.right > width + 1 || box.left < -1, cut = element => out(element.getBoundingClientRect());
  return {
    width,
    scrollWidth: document.documentElement.scrollWidth,
    cut: all.filter(element => cut(element) && !boxed(element)).map(named),
    overflowing: all.filter(e => e.clientWidth && e.scrollWidth > e.clientWidth + 1 && !scrolls(e)).map(named),
    images: images.length,
    missing: images.filter(image => !image.naturalWidth).map(image => image.alt),
  };
})()"""


@dataclass(frozen=True)
class Shown:
    """How a page was shown.

    Attributes:
        layout: see `_MEASURE`; every `details` is open.
        requests: URLs that were asked for, but the page itself and data in the page.
        errors: what was logged to the console as an error, exceptions included.
    """

    layout: dict[str, Any]
    requests: list[str]
    errors: list[str]


class Browser:
    """A running Chromium: commands go in, answers and events come out, JSON with a zero byte behind each."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands, self._answers = commands, answers
        self._buffer, self._last = b"", 0
        self._deadline = time.monotonic() + SECONDS

    def show(self, page: Path, *, width: int) -> Shown:
        """Load a page in a new tab of that many CSS pixels."""
        self._deadline = time.monotonic() + SECONDS
        tab = self._call("Target.createTarget", url="about:blank")[0]["targetId"]
        session = self._call("Target.attachToTarget", targetId=tab, flatten=True)[0]["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self._call(f"{domain}.enable", session)
        mobile = {"deviceScaleFactor": 1, "mobile": width < 600}
        self._call("Emulation.setDeviceMetricsOverride", session, width=width, height=900, **mobile)
        _, events = self._call("Page.navigate", session, url=page.as_uri())
        while not any(event["method"] == "Page.loadEventFired" for event in events):
            events.append(self._receive())
        answer, later = self._call("Runtime.evaluate", session, expression=_MEASURE, returnByValue=True)
        self._call("Target.closeTarget", targetId=tab)
        events = [event for event in [*events, *later] if "method" in event]
        asked = (e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent")
        outside = [url for url in asked if url != page.as_uri() and not url.startswith("data:")]
        return Shown(answer["result"]["value"], outside, [text for event in events for text in _errors(event)])

    def _call(self, method: str, session: str = "", **params: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """The result of a command, and the events that came before it."""
        self._last += 1
        command = {"id": self._last, "method": method, "params": params} | ({"sessionId": session} if session else {})
        os.write(self._commands, json.dumps(command).encode() + b"\0")
        events: list[dict[str, Any]] = []
        while (message := self._receive()).get("id") != self._last:
            events.append(message)
        assert "error" not in message, f"{method}: {message['error']}"
        return message["result"], events

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._answers], [], [], max(0, self._deadline - time.monotonic()))
            assert ready, f"no answer from Chromium within {SECONDS} seconds"
            read = os.read(self._answers, 1 << 16)
            assert read, "Chromium has ended"
            self._buffer += read
        message, _, self._buffer = self._buffer.partition(b"\0")
        parsed: dict[str, Any] = json.loads(message)
        return parsed


def find_chromium() -> str | None:
    """The browser's program, if it is installed."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


@contextmanager
def chromium(program: str, profile: Path) -> Iterator[Browser]:
    """Chromium with an empty profile; it ends with the block."""
    (read_commands, commands), (answers, write_answers) = os.pipe(), os.pipe()
    wired = f'exec "$@" 3<&{read_commands} 4>&{write_answers}'  # Chromium reads from 3 and writes to 4
    process = subprocess.Popen(
        ["bash", "-c", wired, "bash", program, *_FLAGS, f"--user-data-dir={profile}"],
        pass_fds=(read_commands, write_answers), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(read_commands)
    os.close(write_answers)
    try:
        yield Browser(commands, answers)
    finally:
        os.close(commands)  # tells Chromium to end
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
        os.close(answers)


def _errors(event: dict[str, Any]) -> Iterator[str]:
    params = event["params"]
    if event["method"] == "Runtime.exceptionThrown":
        yield params["exceptionDetails"]["text"]
    elif event["method"] == "Log.entryAdded" and params["entry"]["level"] == "error":
        yield params["entry"]["text"]
    elif event["method"] == "Runtime.consoleAPICalled" and params["type"] == "error":
        yield str(params["args"])
