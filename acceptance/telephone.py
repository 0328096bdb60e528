"""A telephone for measuring: SIP over UDP and PCMU in 20 ms packets, each noted with the moment at which it left or came.
It shares no code with frontdesk. One call at a time; `Engine` starts the engine that it calls."""
import audioop  # Python 3.11, Debian 12
import contextlib
import os
import pathlib
import random
import re
import socket
import struct
import subprocess
import threading
import time
import wave

STEP = 160  # samples, 20 ms

# Root mean square, of 32,768. What is sent between prompts is digital silence; the "s" that an answer may begin with is
# faint in a telephone's band.
LOUD = 16
# 29 dB below speech: what nobody overhears.
CLEAR = 60


class Engine:
    """`frontdesk serve` on loopback with a configuration, its log beside it."""

    def __init__(self, folder: pathlib.Path, config: str):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.yaml").write_text(config)
        self.log_path = folder / "log"
        with open(self.log_path, "w") as log:
            self.process = subprocess.Popen(
                [os.environ["FRONTDESK"], "serve", "config.yaml"], cwd=folder, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, env=dict(os.environ, FRONTDESK_LOG="info,frontdesk::turns=debug,frontdesk::speech::ear=debug", NO_COLOR="1"))
        until = time.monotonic() + 600
        while not (found := re.search(r"frontdesk answers at ([\d.]+):(\d+)", self.log())):
            if self.process.poll() is not None or time.monotonic() > until:
                raise SystemExit(f"the engine did not start:\n{self.log()}")
            time.sleep(0.1)
        self.address = (found[1], int(found[2]))

    def log(self) -> str:
        return re.sub(r"\x1b\[\d*m", "", self.log_path.read_text(errors="replace"))

    def turns(self) -> list[dict[str, int]]:
        """The stages of each turn answered so far, ms since the caller's last sound as the engine saw it."""
        lines = [line for line in self.log().splitlines() if "frontdesk::turns" in line]
        return [{name: int(ms) for name, ms in re.findall(r"(\w+)=(\d+)", line)} for line in lines]

    def stop(self) -> None:
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(20)
        self.process.kill()


class Call:
    """A call to a number; `speak` sends a sound, `sounds` holds what came: (moment, level)."""

    def __init__(self, engine: tuple[str, int], number: str):
        self.sip = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sip.bind(("127.0.0.1", 0))
        self.sip.settimeout(10)
        self.rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.rtp.bind(("127.0.0.1", 0))
        self.engine, self.number, self.branch = engine, number, 0
        self.tag, self.id = f"{random.getrandbits(40):x}", f"{random.getrandbits(60):x}@127.0.0.1"
        self.to = f"<sip:{number}@{engine[0]}:{engine[1]}>"
        self.target, self.sounds, self.sent = f"sip:{number}@{engine[0]}:{engine[1]}", [], []
        self.queue, self.over, self.peer = [], threading.Event(), None
        self._invite()
        self.threads = [threading.Thread(target=run, daemon=True) for run in (self._send, self._receive)]
        for thread in self.threads:
            thread.start()

    def _request(self, method: str, cseq: int, body: str = "") -> None:
        self.branch += 1
        host, port = self.sip.getsockname()
        lines = [
            f"{method} {self.target} SIP/2.0", f"Via: SIP/2.0/UDP {host}:{port};branch=z9hG4bK{self.tag}{self.branch};rport",
            "Max-Forwards: 70", f"From: <sip:5550100@{host}:{port}>;tag={self.tag}", f"To: {self.to}",
            f"Call-ID: {self.id}", f"CSeq: {cseq} {method}", f"Contact: <sip:5550100@{host}:{port}>",
            *(["Content-Type: application/sdp"] if body else []), f"Content-Length: {len(body)}", "", body]
        self.sip.sendto("\r\n".join(lines).encode(), self.engine)

    def _invite(self) -> None:
        host, port = self.rtp.getsockname()
        self._request("INVITE", 1, "\r\n".join([
            "v=0", f"o=- 1 1 IN IP4 {host}", "s=-", f"c=IN IP4 {host}", "t=0 0", f"m=audio {port} RTP/AVP 0 101",
            "a=rtpmap:0 PCMU/8000", "a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-15", "a=ptime:20", ""]))
        while True:
            answer = self.sip.recv(65_535).decode(errors="replace")
            status = int(answer.split(" ", 2)[1])
            if status >= 300:
                raise SystemExit(f"{self.number}: {answer.splitlines()[0]}")
            if status >= 200:
                break
        self.to = re.search(r"(?im)^to:\s*(.+?)\r?$", answer)[1]
        self.target = re.search(r"(?im)^contact:\s*<?([^>\r\n]+)", answer)[1]
        address, port = re.search(r"(?m)^c=IN IP4 (\S+)", answer)[1], int(re.search(r"(?m)^m=audio (\d+)", answer)[1])
        self.peer = (address, port)
        self._request("ACK", 1)

    def _send(self) -> None:
        sequence, stamp, ssrc = random.getrandbits(15), random.getrandbits(31), random.getrandbits(32)
        due = time.monotonic()
        while not self.over.is_set():
            kind, payload = self.queue.pop(0) if self.queue else ("silence", b"\xff" * STEP)
            sequence, stamp = (sequence + 1) & 0xFFFF, (stamp + STEP) & 0xFFFFFFFF
            moment = time.monotonic()
            self.rtp.sendto(struct.pack("!BBHII", 0x80, 0, sequence, stamp, ssrc) + payload, self.peer)
            if kind != "silence":
                self.sent.append((kind, moment))
            due += 0.02
            time.sleep(max(0.0, due - time.monotonic()))

    def _receive(self) -> None:
        self.rtp.settimeout(0.5)
        while not self.over.is_set():
            with contextlib.suppress(socket.timeout, ConnectionError):
                packet = self.rtp.recv(2_048)
                if len(packet) > 12 and packet[1] & 0x7F == 0:
                    self.sounds.append((time.monotonic(), self.level(audioop.ulaw2lin(packet[12:], 2))))

    def level(self, samples: bytes) -> float:
        """What counts as a packet's sound: its root mean square."""
        return audioop.rms(samples, 2)

    def speak(self, samples: bytes) -> tuple[float, float]:
        """Sends a sound (8 kHz, 16 bit); the moments of its first and its last packet that hold speech. Returns when
        the last of it is sent."""
        frames = [samples[at:at + 2 * STEP].ljust(2 * STEP, b"\0") for at in range(0, len(samples), 2 * STEP)]
        loud = [audioop.rms(frame, 2) for frame in frames]
        # 30 dB below the loudest 20 ms: what a listener still takes for speech.
        speech = [at for at, rms in enumerate(loud) if rms > max(loud) * 0.0316]
        name = random.getrandbits(60)
        kinds = {speech[0]: (name, "first"), speech[-1]: (name, "last")}
        if speech[0] == speech[-1]:
            raise ValueError("a click is no speech")
        self.queue.extend((kinds.get(at, "speech"), audioop.lin2ulaw(frame, 2)) for at, frame in enumerate(frames))
        while self.queue:
            time.sleep(0.005)
        time.sleep(0.03)
        moments = dict(self.sent)
        return moments[(name, "first")], moments[(name, "last")]

    def first_sound_after(self, moment: float, limit: float = 12.0, level: int = LOUD) -> float | None:
        """The first packet with sound after a moment, above a level. Looks seldom and at little: it shares the machine with the engine."""
        until, at = time.monotonic() + limit, 0
        while time.monotonic() < until:
            for came, rms in self.sounds[at:]:
                if rms > level and came > moment:
                    return came
                at += 1
            time.sleep(0.05)
        return None

    def wait_for_silence(self, seconds: float, limit: float = 60.0) -> None:
        """Until the other side has said nothing for so long."""
        until = time.monotonic() + limit
        while time.monotonic() < until:
            last = next((came for came, rms in reversed(self.sounds[:]) if rms > LOUD), None)
            if last and time.monotonic() - last > seconds:
                return
            time.sleep(0.05)
        raise SystemExit("the other side does not fall silent")

    def hang_up(self) -> None:
        self.over.set()
        self._request("BYE", 2)
        for thread in self.threads:
            thread.join()
        for open_socket in (self.sip, self.rtp):
            open_socket.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def sound(path: pathlib.Path, level: int = 1_640) -> bytes:
    """A wav file as a telephone's microphone gives it: 8 kHz, mono, 16 bit, speech at -26 dB of full scale."""
    with wave.open(str(path)) as file:
        samples, rate = file.readframes(file.getnframes()), file.getframerate()
        if file.getnchannels() == 2:
            samples = audioop.tomono(samples, file.getsampwidth(), 0.5, 0.5)
        if file.getsampwidth() != 2:
            samples = audioop.lin2lin(samples, file.getsampwidth(), 2)
    if rate != 8_000:
        samples, _ = audioop.ratecv(samples, 2, 1, rate, 8_000, None)
    frames = [audioop.rms(samples[at:at + 320], 2) for at in range(0, len(samples), 320)]
    loud = [rms for rms in frames if rms > max(frames) / 10]
    return audioop.mul(samples, 2, min(8.0, level / (sum(loud) / len(loud))))


def quantile(values: list[float], share: float) -> float:
    """Nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered) + 0.5) - 1))]
