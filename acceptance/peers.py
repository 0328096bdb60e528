"""Callers and agents by WebRTC that share no code with frontdesk: aiortc (BSD-3-Clause) does ICE, DTLS and SRTP. Its media
engine is left out, so that fifty of them fit on a part of one core: sound is Opus that was encoded before, one packet each
20 ms; what has come is taken then, counted, and decoded where its sound matters. Every packet is noted with the moment at
which it left, or at which the kernel had it: a peer that is late itself makes no sound late.

    peer = await Peer.call("http://127.0.0.1:9061", "bank")       # as a page does (docs/webrtc.md)
    await peer.until(lambda: "menu" in peer.said)                 # captions
    sent = await peer.press("3")                                  # when its first packet left
"""
import array
import asyncio
import contextlib
import fractions
import json
import math
import random
import re
import socket
import struct
import time
import typing

from library import need

need("aiortc==1.16.0", "aiohttp==3.14.5")

import aiohttp  # noqa: E402
import aioice.ice  # noqa: E402
import av  # noqa: E402
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription  # noqa: E402
from aiortc.rtcrtpreceiver import StreamStatistics  # noqa: E402

RATE, STEP = 48_000, 960  # samples a second, and in 20 ms
KEYS = "0123456789*#"
# Of a frame's energy, so much is the tone: speech never comes near.
SHARE = 0.5
# Root mean square of 32,768.
LOUD = 100
TIMESTAMPS = 35  # SO_TIMESTAMPNS of Linux

aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"]


class Silent(MediaStreamTrack):
    """Keeps aiortc's own sender quiet: packets go by `Peer._send`."""
    kind = "audio"

    async def recv(self):
        await asyncio.get_running_loop().create_future()


def opus(hz: float | None) -> list[bytes]:
    """A second of sound, over and over: a tone, or the faint noise of a room."""
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.format, encoder.layout = RATE, "s16", "mono"
    encoder.bit_rate, encoder.time_base = 32_000, fractions.Fraction(1, RATE)
    dice = random.Random(1)
    wave = (lambda n: 8_000 * math.sin(2 * math.pi * hz * n / RATE)) if hz else (lambda n: dice.gauss(0, 6))
    packets = []
    for at in range(60):
        frame = av.AudioFrame(format="s16", layout="mono", samples=STEP)
        frame.planes[0].update(array.array("h", [round(wave(at * STEP + n)) for n in range(STEP)]).tobytes())
        frame.sample_rate, frame.pts = RATE, at * STEP
        packets += [bytes(packet) for packet in encoder.encode(frame)]
    return packets[5:55]


class Header(typing.NamedTuple):
    """What aiortc's statistics want of a packet."""
    sequence_number: int
    timestamp: int


class Clock:
    """One beat of 20 ms for all peers of this process."""

    def __init__(self):
        self.peers, self.task = set(), None
        self.sounds, self.late = {}, 0

    def sound(self, hz: float | None) -> list[bytes]:
        """Made at the first time, which takes a while: ask for it before anything is measured."""
        if hz not in self.sounds:
            self.sounds[hz] = opus(hz)
        return self.sounds[hz]

    def add(self, peer: "Peer") -> None:
        self.peers.add(peer)
        self.task = self.task or asyncio.create_task(self._run())

    async def _run(self) -> None:
        due = time.monotonic()
        while True:
            for peer in list(self.peers):
                with contextlib.suppress(OSError):  # its other side is gone
                    peer.beat()
            due += 0.02
            behind = time.monotonic() - due
            self.late = max(self.late, behind)
            if behind > 0.2:  # nothing is gained by sending it all at once
                due += behind
            await asyncio.sleep(max(0.0, -behind))


clock = Clock()


class Peer:
    """One connection: a caller's (`call`) or an agent's (`answer`)."""

    def __init__(self, **ice):
        self.connection = RTCPeerConnection(RTCConfiguration(**ice))
        self.sender = self.connection.addTrack(Silent())
        self.number, self.stamp = random.getrandbits(15), random.getrandbits(31)
        self.sound, self.at, self.keys, self.pressed = clock.sound(None), 0, [], 0
        self.statistics, self.arrivals, self.decoder = StreamStatistics(RATE), [], None
        self.levels, self.tones, self.wanted = [], [], None  # (moment, rms); (moment, hz)
        self.said, self.stages, self.over = "", [], asyncio.Event()
        self.news = asyncio.Condition()
        self.tasks, self.url, self.http = [], None, None

    @classmethod
    async def call(cls, http: aiohttp.ClientSession, origin: str, line: str, **ice) -> "Peer":
        self = cls(**ice)
        self.http, headers = http, {"origin": origin}
        answer = await self._offer(f"{origin}/call?line={line}", headers)
        self.url = origin + answer
        self.tasks.append(asyncio.create_task(self._follow()))
        await self._connected()
        return self

    @classmethod
    async def answer(cls, desk: "Desk", call: str, prepared: "Peer | None" = None) -> "Peer":
        """An agent's sound; with `prepared` the offer was made while it rang, as the desk's page does."""
        self = prepared or cls()
        self.http = desk.http
        await self._offer(f"{desk.origin}/api/calls/{call}/answer", desk.headers())
        await self._connected()
        return self

    async def prepare(self) -> "Peer":
        """Candidates and credentials."""
        if not self.connection.localDescription:
            await self.connection.setLocalDescription(await self.connection.createOffer())
        return self

    async def _offer(self, url: str, headers: dict) -> str:
        await self.prepare()
        sdp = self.connection.localDescription.sdp
        # aiortc knows no telephone-events (RFC 4733); we send them ourselves.
        sdp = re.sub(r"(?m)^(m=audio .*?)\r$", r"\1 110 126\r", sdp)
        sdp += "a=rtpmap:110 telephone-event/48000\r\na=rtpmap:126 telephone-event/8000\r\n"
        async with self.http.post(url, data=sdp, headers={**headers, "content-type": "application/sdp"}) as response:
            text = await response.text()
            if response.status != 201:
                raise ConnectionError(f"{response.status}: {text}")
            where = response.headers["location"]
        numbers = {(name.lower(), int(clock)): int(number)
                   for number, name, clock in re.findall(r"a=rtpmap:(\d+) ([\w-]+)/(\d+)", text)}
        self.opus, self.events = numbers[("opus", RATE)], numbers.get(("telephone-event", RATE))
        await self.connection.setRemoteDescription(RTCSessionDescription(text, "answer"))
        return where

    async def _connected(self) -> None:
        async with asyncio.timeout(30):
            while self.connection.connectionState != "connected":
                if self.connection.connectionState in ("failed", "closed"):
                    raise ConnectionError(self.connection.connectionState)
                await asyncio.sleep(0.01)
        # From here on packets of sound are ours; checks of the way and DTLS go on by aiortc.
        dtls = self.sender.transport
        pair = dtls.transport._connection._nominated[1]
        self.protocol, self.remote, self.socket = pair.protocol, pair.remote_addr, pair.protocol.transport._sock
        self.seal, self.unseal = dtls._tx_srtp.protect, dtls._rx_srtp.unprotect
        asyncio.get_running_loop()._remove_reader(self.socket.fileno())
        self.socket.setsockopt(socket.SOL_SOCKET, TIMESTAMPS, 1)
        clock.add(self)

    def beat(self) -> None:
        """Takes what has come, and sends a packet."""
        shift = time.monotonic() - time.time()
        with contextlib.suppress(BlockingIOError):
            while True:
                data, more, _, _ = self.socket.recvmsg(2_048, 64)
                if not 127 < data[0] < 192:
                    self.protocol.datagram_received(data, self.remote)
                elif not 192 <= data[1] < 224:  # no RTCP (RFC 5761)
                    seconds, nanoseconds = struct.unpack("@qq", more[0][2])
                    self._received(shift + seconds + nanoseconds / 1e9, self.unseal(data))
        self._send()

    # ---- what goes out

    def _send(self) -> None:
        """One packet: of the key that is being pressed, else of the sound."""
        stamp, marker, sent = self.stamp, 0, None
        if self.keys:
            number, (payload, sent) = self.events, self.keys.pop(0)
            if sent:
                self.pressed, marker = stamp, 0x80
            stamp = self.pressed
        else:
            number, payload = self.opus, self.sound[self.at % len(self.sound)]
            self.at += 1
        header = struct.pack("!BBHII", 0x80, marker | number, self.number, stamp & 0xFFFFFFFF, self.sender._ssrc)
        self.number, self.stamp = (self.number + 1) & 0xFFFF, (self.stamp + STEP) & 0xFFFFFFFF
        if sent:
            sent.set_result(time.monotonic())
        self.socket.sendto(self.seal(header + payload), self.remote)

    async def press(self, key: str) -> float:
        """Presses a key for 120 ms (RFC 4733; its end is told three times); the moment at which its first packet left."""
        sent = asyncio.get_running_loop().create_future()
        for at, ended in enumerate([0, 0, 0, 0, 0, 0x80, 0x80, 0x80]):
            payload = struct.pack("!BBH", KEYS.index(key), 10 | ended, min(at + 1, 6) * STEP)
            self.keys.append((payload, None if at else sent))
        return await sent

    def hum(self, hz: float | None) -> None:
        self.sound = clock.sound(hz)

    # ---- what comes in

    def _received(self, moment: float, packet: bytes) -> None:
        flags, _, number, stamp, source = struct.unpack_from("!BBHII", packet)
        if not self.arrivals:  # aiortc's reports tell of it, too
            self.connection.getReceivers()[0]._RTCRtpReceiver__remote_streams[source] = self.statistics
        self.statistics.add(Header(number, stamp))
        self.arrivals.append(moment)
        if self.wanted is not None:
            start = 12 + 4 * (flags & 15)
            if flags & 16:
                start += 4 + 4 * int.from_bytes(packet[start + 2:start + 4])
            if packet[start:]:
                self._listen(moment, packet[start:])

    def listen(self, hz: float | None = None) -> None:
        """From now on sounds are decoded: their level is noted, and whether they are mostly this tone."""
        self.wanted = hz or 0.0

    def deaf(self) -> None:
        self.wanted = None

    def _listen(self, now: float, payload: bytes) -> None:
        if self.decoder is None:
            self.decoder = av.CodecContext.create("libopus", "r")
            self.decoder.sample_rate = RATE
            self.resampler = av.AudioResampler(format="s16", layout="mono", rate=8_000)
        with contextlib.suppress(av.FFmpegError):
            for frame in (small for frame in self.decoder.decode(av.Packet(payload)) for small in self.resampler.resample(frame)):
                samples = array.array("h", bytes(frame.planes[0])[:2 * frame.samples])
                energy = sum(sample * sample for sample in samples)
                if energy <= LOUD * LOUD * len(samples):
                    continue
                self.levels.append((now, math.sqrt(energy / len(samples))))
                turn = 2 * math.pi * self.wanted / 8_000
                real = sum(sample * math.cos(turn * n) for n, sample in enumerate(samples))
                imaginary = sum(sample * math.sin(turn * n) for n, sample in enumerate(samples))
                if 2 * (real * real + imaginary * imaginary) / len(samples) > SHARE * energy:
                    self.tones.append((now, self.wanted))

    def sound_came(self) -> dict:
        """Packets received and lost, seconds from the first to the last, gaps of over 100 ms and the longest."""
        apart = [after - before for before, after in zip(self.arrivals, self.arrivals[1:])]
        return {"received": len(self.arrivals), "lost": self.statistics.packets_lost if self.arrivals else 0, "seconds": sum(apart),
                "gaps": sum(gap > 0.1 for gap in apart), "longest": max(apart, default=0.0)}

    async def heard(self, after: float, tone: bool = False, limit: float = 15.0) -> float | None:
        """The moment of the first packet with sound (with the tone) that came after `after`."""
        until = time.monotonic() + limit
        while time.monotonic() < until:
            for moment, _ in self.tones if tone else self.levels:
                if moment > after:
                    return moment
            await asyncio.sleep(0.01)
        return None

    async def _follow(self) -> None:
        """The call's captions and stages."""
        async with self.http.get(f"{self.url}/events", headers={"origin": self.url.split("/call")[0]},
                                 timeout=aiohttp.ClientTimeout(total=None)) as response:
            async for kind, data in events(response):
                if kind == "caption" and data["who"] == "bot":
                    self.said += data["text"] + "\n"
                elif kind == "stage":
                    self.stages.append((time.monotonic(), data["stage"]))
                async with self.news:
                    self.news.notify_all()
        self.over.set()

    async def until(self, what, limit: float = 20.0) -> bool:
        """Whether it comes true within so many seconds; looked at with every caption and stage."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit), self.news:
                await self.news.wait_for(what)
                return True
        return False

    async def end(self) -> None:
        clock.peers.discard(self)
        if self.url:
            with contextlib.suppress(aiohttp.ClientError, RuntimeError):
                async with self.http.delete(self.url, headers={"origin": self.url.split("/call")[0]}):
                    pass
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(5):
                    await self.over.wait()
        for task in self.tasks:
            task.cancel()
        await self.connection.close()


class Desk:
    """An account of the desk, logged in as its page is."""

    def __init__(self, http: aiohttp.ClientSession, origin: str):
        self.http, self.origin, self.cookie, self.token = http, origin.rstrip("/"), "", ""
        self.events, self.news, self.task, self.stream = [], asyncio.Condition(), None, None

    def headers(self) -> dict:
        given = {"origin": self.origin, "sec-fetch-site": "same-origin"}
        if self.cookie:
            given |= {"cookie": self.cookie, "x-frontdesk-token": self.token}
        return given

    async def ask(self, method: str, path: str, body: dict | None = None):
        """The answer's JSON; a desk that has no time for a log-in now is asked again."""
        while True:
            async with self.http.request(method, self.origin + path, json=body, headers=self.headers()) as response:
                if response.status in (429, 503):
                    await asyncio.sleep(0.5)
                    continue
                if response.status >= 400:
                    raise ConnectionError(f"{method} {path}: {response.status} {await response.text()}")
                if "set-cookie" in response.headers:
                    self.cookie = response.headers["set-cookie"].split(";")[0]
                return await response.json() if response.content_type == "application/json" else None

    async def accept(self, link: str, password: str) -> None:
        await self.ask("POST", "/api/password", {"link": link, "password": password})

    async def log_in(self, name: str, password: str) -> "Desk":
        self.token = (await self.ask("POST", "/api/log-in", {"name": name, "password": password}))["token"]
        return self

    async def invite(self, name: str, role: str, agent: str | None) -> str:
        """As the administrator: an account, and the secret of its link."""
        await self.ask("POST", "/api/accounts", {"name": name, "role": role, "agent": agent})
        return (await self.ask("POST", f"/api/accounts/{name}/link"))["link"]

    async def follow(self) -> "Desk":
        """Holds the desk's news open: (moment, kind, data) in `events`."""
        self.task = asyncio.create_task(self._follow())
        if not await self.until(lambda kind, _: kind == "desk"):
            raise ConnectionError("the desk sends no news")
        return self

    async def _follow(self) -> None:
        async with self.http.get(f"{self.origin}/api/desk", headers=self.headers(),
                                 timeout=aiohttp.ClientTimeout(total=None)) as response:
            async for kind, data in events(response):
                now = time.monotonic()
                if kind == "desk":
                    self.stream = data["stream"]
                if kind == "ping":
                    await self.ask("POST", "/api/here", {"stream": self.stream})
                    continue
                async with self.news:
                    self.events.append((now, kind, data))
                    self.news.notify_all()

    async def until(self, what, limit: float = 30.0, after: float = 0.0):
        """The first event after a moment of which `what(kind, data)` is true."""
        found = lambda: next((one for one in self.events if one[0] > after and what(*one[1:])), None)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit), self.news:
                await self.news.wait_for(found)
        return found()

    async def ready(self) -> None:
        await self.ask("POST", "/api/state", {"state": "ready"})

    async def order(self, call: str, do: str, **more) -> None:
        await self.ask("POST", f"/api/calls/{call}/order", {"do": do, **more})


async def administrator(http: aiohttp.ClientSession, log: str, password: str) -> Desk:
    """By the link that a first start prints."""
    link = re.search(r"within a day: (\S+)", log)[1]
    origin, secret = link.split("/#welcome=")
    desk = Desk(http, origin)
    await desk.accept(secret, password)
    return await desk.log_in("admin", password)


def pages(log: str) -> str:
    """Where browsers call."""
    return re.search(r"browsers call at (\S+)", log)[1].rstrip("/")


async def events(response):
    """Server-sent events: (kind, data)."""
    kind, data = "message", []
    async for line in response.content:
        line = line.decode().rstrip("\r\n")
        if line.startswith("event:"):
            kind = line[6:].strip()
        elif line.startswith("data:"):
            data.append(line[5:].strip())
        elif not line:
            if data:
                yield kind, json.loads("".join(data))
            kind, data = "message", []
