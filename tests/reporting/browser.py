"""A headless Chromium, spoken to over a pipe: what a page asks for, complains about and how wide it is."""

import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--remote-debugging-pipe",
]


class Browser:
    """One tab. Commands go to file descriptor 3 of the browser, answers and events come from 4, each ended by a NUL."""

    def __init__(self):
        self.folder = tempfile.mkdtemp()
        to_read, self.write = os.pipe()
        self.read, to_write = os.pipe()
        script = 'exec 3<&"$1" 4>&"$2"; shift 2; exec "$@"'
        command = [CHROMIUM, *_FLAGS, f"--user-data-dir={self.folder}", "about:blank"]
        self.process = subprocess.Popen(
            ["/bin/bash", "-c", script, "-", str(to_read), str(to_write), *command],
            pass_fds=(to_read, to_write),
            env={**os.environ, "TMPDIR": self.folder},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_read)
        os.close(to_write)
        self.sent, self.events, self.left, self.session = 0, [], b"", None
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.ask(f"{domain}.enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with suppress(OSError, AssertionError):
            self.ask("Browser.close")
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.read)
        os.close(self.write)
        shutil.rmtree(self.folder, ignore_errors=True)

    def ask(self, method, **params):
        """Send a command and wait for its answer; events on the way are kept."""
        self.sent += 1
        session = {"sessionId": self.session} if self.session else {}
        os.write(
            self.write, json.dumps({"id": self.sent, "method": method, "params": params, **session}).encode() + b"\0"
        )
        while True:
            message = self.next()
            if message.get("id") == self.sent:
                assert "error" not in message, message
                return message["result"]
            self.events.append(message)

    def next(self):
        while b"\0" not in self.left:
            assert select.select([self.read], [], [], 60)[0], "the browser does not answer"
            part = os.read(self.read, 1 << 16)
            assert part, "the browser ended"
            self.left += part
        line, _, self.left = self.left.partition(b"\0")
        return json.loads(line)

    def open(self, path, *, width, height=900, scheme="light"):
        """Show a file; returns the events until it has loaded."""
        self.ask(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.events = []
        self.ask("Page.navigate", url=Path(path).absolute().as_uri())
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self.next())
        time.sleep(0.3)
        self.value("0")  # collects what came after loading
        return self.events

    def value(self, expression):
        """The value of a JavaScript expression on the page."""
        return self.ask("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")
