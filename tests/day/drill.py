"""What every event of the day needs: rules in a hurry, and a record of what fired, was shown and was typed."""

import json
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import yaml
from monitoring import queries
from playwright.sync_api import Browser, Page
from postcodes_io import RunningPostcodesIo
from real_prometheus import RULES, answer
from stack import ROOT, Stack, check_result, running_stack, wait_for

#: By which the durations of rules are divided: three minutes are an hour.
FACTOR = 20
HOUR = 3_600 / FACTOR
_UNITS = {"s": 1, "m": 60, "h": 3_600}
_SPAN = re.compile(r"\b(\d+)([smh])\b")
_AGE = re.compile(r"(?<=_seconds)((?:\{[^}]*\})? > )(\d+)$")


def hurried(query: str) -> str:
    """A rule or a query of a dashboard with its ages and ranges divided by FACTOR.

    Not the range of a count that must reach a number: the product is as fast as ever.
    """
    query = _AGE.sub(lambda found: f"{found[1]}{int(found[2]) / FACTOR:g}", query)
    return query if re.search(r"increase\(.* > ", query) else _SPAN.sub(_divided, query)


def _divided(span: re.Match[str]) -> str:
    return f"{max(int(span[1]) * _UNITS[span[2]] * 1000 // FACTOR, 1)}ms"


def hurried_rules(path: Path) -> dict[str, float]:
    """Writes the rules there; returns by how many seconds less each alert waits than it does otherwise."""
    rules = yaml.safe_load(RULES.read_text())
    saved = {}
    for rule in (rule for group in rules["groups"] for rule in group["rules"]):
        age = _AGE.search(rule["expr"])
        spans = [*_SPAN.findall(rule["for"]), *([(age[2], "s")] if age else [])]
        saved[rule["alert"]] = sum(int(number) * _UNITS[unit] for number, unit in spans) * (1 - 1 / FACTOR)
        rule |= {"expr": hurried(rule["expr"]), "for": _SPAN.sub(_divided, rule["for"])}
    path.write_text(yaml.safe_dump(rules))
    return saved


@dataclass
class Event:
    """What is known of one event. Seconds are counted from its beginning."""

    title: str
    begun: float = 0.0
    marks: dict[str, float] = field(default_factory=dict)
    #: Alert → when it began to fire, and when it would with the rules as they are.
    fired: dict[str, tuple[float, float]] = field(default_factory=dict)
    shown: dict[str, list[str]] = field(default_factory=dict)
    typed: list[str] = field(default_factory=list)
    said: dict[str, str] = field(default_factory=dict)
    loss: str = "none"

    def mark(self, what: str) -> None:
        self.marks[what] = round(time.time() - self.begun, 1)
        print(f"  {self.marks[what]:6.1f} s  {what}", flush=True)

    def did(self, what: str) -> None:
        """Something that was clicked, or typed elsewhere."""
        self.typed.append(what)
        print(f"           {what}", flush=True)


class Day:
    """The stack of the moment, its Prometheus, and the browser of somebody who looks."""

    def __init__(
        self,
        folder: Path,
        port: int,
        saved: dict[str, float],
        upstream: RunningPostcodesIo,
        browser: Browser,
        settings: dict[str, str],
    ) -> None:
        self.folder, self.upstream = folder, upstream
        self.events: list[Event] = []
        self._port, self._saved, self._browser, self._settings = port, saved, browser, settings
        self._password = ""
        self.stack: Stack
        self.page: Page

    @contextmanager
    def running(self, name: str, *, root: Path = ROOT, as_before: bool = False, **more: str) -> Iterator[Stack]:
        """A stack on that DATA_DIR, and somebody who has signed in to its pages and has a key of `admin` for programs:
        with the password and the key of the last stack, where it is the same as before."""
        data = self.folder / name
        with running_stack(data, root=root, log=self.folder / f"{name}.log", **self._settings | more) as stack:
            if as_before:
                stack.headers = self.stack.headers
            else:
                stack.use_key("admin")
                self._password = (data / "admin_password").read_text()
            self.stack = stack
            self.page = self._browser.new_context(viewport={"width": 1200, "height": 800}).new_page()
            self.page.goto(f"{stack.url}/admin/")
            self.page.fill("#id_username", "admin")
            self.page.fill("#id_password", self._password)
            self.page.click("input[type=submit]")
            yield stack

    # --- the record ------------------------------------------------------------------------------------------------
    @contextmanager
    def event(self, title: str) -> Iterator[Event]:
        """At its end, what fired is asked of Prometheus: what fired before the event is not counted."""
        print(f"\n{title}", flush=True)
        event = Event(title)
        yield event
        event.mark("over")
        began = self._firing_between(event.begun - 2, event.begun)
        for alert, at in self._firing_between(event.begun, time.time()).items():
            if alert not in began:
                seconds = at - event.begun
                event.fired[alert] = round(seconds, 1), round(seconds + self._saved[alert], 1)
        self.events.append(event)
        (self.folder / "day.json").write_text(json.dumps([asdict(event) for event in self.events], indent=1))
        print(f"  fired: {event.fired}", flush=True)

    def _firing_between(self, start: float, end: float) -> dict[str, float]:
        found = answer(self._port, 'ALERTS{alertstate="firing"}', start=start, end=end, step=1)
        firsts = sorted(((series["values"][0][0], series["metric"]["alertname"]) for series in found), reverse=True)
        return {alert: at for at, alert in firsts}

    def logged(self, text: str) -> int:
        return self.stack.log.read_text(errors="replace").count(text)

    def firing(self) -> set[str]:
        return {series["metric"]["alertname"] for series in answer(self._port, 'ALERTS{alertstate="firing"}')}

    def wait_for_alerts(self, event: Event, *names: str, seconds: float = 60) -> None:
        for name in names:
            wait_for(lambda name=name: name in self.firing(), f"{name} fires", seconds=seconds)  # type: ignore[misc]
            event.mark(f"{name} fires")

    def ask(self, event: Event, query: str) -> None:
        """What a panel of a dashboard shows just now."""
        assert query in queries(), query
        event.shown[query] = [
            f"{' '.join(value for name, value in series['metric'].items() if name != '__name__')}"
            f" {float(series['value'][1]):.3g}".strip()
            for series in answer(self._port, hurried(query))
        ]

    def see(self, event: Event, name: str, path: str) -> None:
        """A picture of a page, and its words."""
        self.page.goto(self.stack.url + path)
        self.page.wait_for_load_state()
        self.page.screenshot(path=self.folder / f"{len(self.events) + 1}-{name}.png")
        event.said[name] = re.sub(r"\s*\n\s*", "\n", self.page.inner_text("body"))[:2_000]

    def type(self, event: Event, command: str, service: str = "file_reader", **more: str) -> str:
        """Has bash run it in the folder of a service as docs/operating.md says, and returns what it printed."""
        environment = self.stack.environment | {"SECRET_KEY": "none", "INTERNAL_TOKEN": "none", "URL": self.stack.url}
        environment |= {"KEY": self.stack.headers.get("Authorization", "").removeprefix("Bearer ")} | more
        begun = time.monotonic()
        done = subprocess.run(
            ["bash", "-c", command], cwd=self.stack.root / service, env=environment, capture_output=True, text=True
        )
        event.did(f"{command}  ({time.monotonic() - begun:.1f} s)")
        with (self.folder / "transcript.txt").open("a") as file:
            file.write(f"{event.title}\n{service}$ {command}\n{done.stdout}{done.stderr}\n")
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        return done.stdout

    # --- the work --------------------------------------------------------------------------------------------------
    def at_work(self, content: bytes, share: float = 0.1) -> dict[str, Any]:
        """An upload that has got so far."""
        upload = self.stack.upload(content)
        self.stack.wait(
            upload, lambda seen: seen["state"] == "geocoding" and seen["progress"] >= share, "it is at work"
        )
        return upload

    def goes_on(self, event: Event, upload: dict[str, Any]) -> None:
        before = self.stack.look(upload)["rows"]["pending"]
        self.stack.wait(upload, lambda seen: seen["rows"]["pending"] < before, "it goes on")
        event.mark("goes on")

    def done(self, event: Event, upload: dict[str, Any], content: bytes) -> bytes:
        """The result, of which each row is the truth."""
        ended = self.stack.wait_until_done(upload, seconds=300)
        event.mark("the upload is done")
        result = self.stack.result(upload)
        check_result(content, result, ended)
        return result
