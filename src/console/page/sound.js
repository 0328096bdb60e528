// The agent's sound by WebRTC: made ready while it rings, connected when the agent answers (WHIP, RFC 9725).
import { api, raw } from "./parts.js";

const RESTART_AFTER_MS = 1000;
const wait = (ms) => new Promise((done) => setTimeout(done, ms));

export class Silent extends Error {}

// The microphone, or why there is none.
export async function microphone() {
  if (!window.isSecureContext || !navigator.mediaDevices) throw new Silent("insecure");
  try {
    return await navigator.mediaDevices.getUserMedia({
      audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 },
    });
  } catch (error) {
    throw new Silent(error.name === "NotFoundError" ? "noMic" : "denied");
  }
}

export class Talk {
  // `by`: the way into the call: `answer`, or `listen`.
  constructor(call, news, by = "answer") {
    Object.assign(this, { call, news, by, over: false, candidates: [] });
    this.prepared = this.prepare();
    this.prepared.catch(() => {}); // told when it is answered
  }

  async prepare() {
    const [microphone_, servers] = await Promise.all([microphone(), api("GET", "/api/ice")]);
    this.microphone = microphone_;
    if (this.over) return this.end();
    this.peer = new RTCPeerConnection({ bundlePolicy: "max-bundle", iceServers: servers });
    this.peer.ontrack = ({ streams, track }) => this.play(streams[0] || new MediaStream([track]));
    this.peer.onicecandidate = ({ candidate }) => this.trickle(candidate);
    this.peer.onconnectionstatechange = () => this.connection();
    this.peer.addTrack(this.microphone.getAudioTracks()[0], this.microphone);
    await this.peer.setLocalDescription(await this.peer.createOffer());
  }

  async answer() {
    await this.prepared;
    if (this.over) return;
    const path = `/api/calls/${encodeURIComponent(this.call)}/${this.by}`;
    const answer = await raw("POST", path, this.peer.localDescription.sdp, "application/sdp");
    this.url = answer.headers.get("location");
    this.session = answer.headers.get("etag");
    await this.peer.setRemoteDescription({ type: "answer", sdp: await answer.text() });
    if (this.candidates.length) this.sendCandidates();
  }

  play(stream) {
    this.speaker = new Audio();
    this.speaker.srcObject = stream;
    this.speaker.play().catch(() => {});
  }

  trickle(candidate) {
    if (!candidate?.candidate) return;
    this.candidates.push(candidate);
    this.sending ??= setTimeout(() => this.sendCandidates(), 60);
  }

  async sendCandidates() {
    this.sending = null;
    if (!this.url || this.over || this.restarting) return;
    const ufrag = credential(this.peer.localDescription.sdp, "ufrag");
    const ours = this.candidates.splice(0).filter((one) => !one.usernameFragment || one.usernameFragment === ufrag);
    await this.patch(fragment(this.peer.localDescription.sdp, ours), this.session).catch(() => {});
  }

  patch(text, session) {
    return raw("PATCH", this.url, text, "application/trickle-ice-sdpfrag", { "if-match": session });
  }

  connection() {
    const state = this.peer.connectionState;
    this.news(state);
    if (state === "failed") this.restart();
    if (state === "disconnected") setTimeout(() => this.peer.connectionState === "disconnected" && this.restart(), RESTART_AFTER_MS);
  }

  // Another network: ICE begins anew, and the call goes on (RFC 9725, 4.4.2).
  async restart() {
    if (this.restarting || this.over || !this.url) return;
    this.restarting = true;
    for (let tries = 0; tries < 8 && !this.over && this.peer.connectionState !== "connected"; tries += 1) {
      try {
        if (this.peer.signalingState === "have-local-offer") await this.peer.setLocalDescription({ type: "rollback" });
        const before = this.peer.remoteDescription.sdp;
        await this.peer.setLocalDescription(await this.peer.createOffer({ iceRestart: true }));
        const answer = await this.patch(fragment(this.peer.localDescription.sdp, []), "*");
        this.session = answer.headers.get("etag");
        await this.peer.setRemoteDescription({ type: "answer", sdp: renew(before, await answer.text()) });
        await wait(1500);
      } catch {
        await wait(700);
      }
    }
    this.restarting = false;
    this.sendCandidates();
  }

  set muted(muted) {
    for (const track of this.microphone?.getAudioTracks() ?? []) track.enabled = !muted;
  }

  end() {
    this.over = true;
    this.peer?.close();
    if (this.speaker) this.speaker.srcObject = null;
    for (const track of this.microphone?.getTracks() ?? []) track.stop();
  }
}

// The bell, as long as it is wanted.
export class Bell {
  ring() {
    if (this.context) return;
    this.context = new AudioContext();
    const strike = () => {
      for (const [at, hz] of [[0, 660], [0.18, 880], [0.36, 660]]) {
        const tone = this.context.createOscillator();
        const level = this.context.createGain();
        const from = this.context.currentTime + at;
        tone.frequency.value = hz;
        level.gain.setValueAtTime(0.0001, from);
        level.gain.exponentialRampToValueAtTime(0.18, from + 0.02);
        level.gain.exponentialRampToValueAtTime(0.0001, from + 0.3);
        tone.connect(level).connect(this.context.destination);
        tone.start(from);
        tone.stop(from + 0.32);
      }
    };
    strike();
    this.timer = setInterval(strike, 2000);
  }

  stop() {
    clearInterval(this.timer);
    this.context?.close();
    this.context = null;
  }
}
