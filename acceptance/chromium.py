"""Debian's Chromium, headless, driven by Playwright (tests/browser/driver.mjs: one JSON command a line, one reply a line)."""
import asyncio
import json
import math
import pathlib
import shutil
import struct
import sys
import wave

TESTS = pathlib.Path(__file__).resolve().parent.parent / "tests/browser"
CALL = "document.querySelector('frontdesk-call')"
SAID = f"{CALL}.shadowRoot.querySelector('.log').innerText"


class Page:
    """One browser with one page. It ends with `close`."""

    @classmethod
    async def open(cls, scratch: pathlib.Path, url: str, within: tuple[str, ...] = (), hum: int = 0) -> "Page":
        """`within`: a command that the browser is started by (`ip netns exec NAME`); its microphone gives a tone, or nothing."""
        if not shutil.which("chromium") or not (TESTS / "node_modules/playwright-core").is_dir():
            sys.exit("needs Chromium and Playwright: scripts/setup test")
        self = cls()
        microphone = scratch / f"microphone-{hum}.wav"
        tone(microphone, hum)
        self.process = await asyncio.create_subprocess_exec(
            *within, "node", TESTS / "driver.mjs", shutil.which("chromium"), microphone, stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, limit=1 << 24)
        await self.do("open", url=url)
        return self

    async def do(self, what: str, **more):
        self.process.stdin.write((json.dumps({"do": what, **more}) + "\n").encode())
        await self.process.stdin.drain()
        line = await asyncio.wait_for(self.process.stdout.readline(), 60)
        reply = json.loads(line or '{"error": "the browser is gone"}')
        if "error" in reply:
            raise ConnectionError(f"{what} {more}: {json.dumps(reply)[:2_000]}")
        return reply["ok"]

    async def call(self) -> None:
        """From the call page to the answer."""
        await self.do("wait", js=f"{CALL}.lines.length > 0")
        await self.do("click", name="Start call")
        await self.do("wait", js=f"{CALL}.shadowRoot.querySelector('li.bot')")

    async def press(self, key: str, then: str) -> None:
        """Presses a key; its answer's words are read."""
        await self.do("key", key=key)
        await self.do("wait", js=f"{SAID}.includes({json.dumps(then)})")

    async def said(self) -> str:
        return await self.do("run", js=SAID)

    async def report(self, kind: str) -> list[dict]:
        """The statistics of the page's connection (W3C webrtc-stats) of one kind."""
        return await self.do("run", js=f"window.__peers.at(-1).getStats().then((all) => [...all.values()].filter((one) => one.type == '{kind}'))")

    async def close(self) -> None:
        self.process.stdin.close()
        try:
            await asyncio.wait_for(self.process.wait(), 20)
        except TimeoutError:
            self.process.kill()


def tone(path: pathlib.Path, hz: int) -> None:
    """A second, which Chromium plays over and over; 0 Hz: silence."""

    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(b"".join(struct.pack("<h", round(8_000 * math.sin(2 * math.pi * hz * n / 16_000))) for n in range(16_000)))
