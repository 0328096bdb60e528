// A call to frontdesk from any page: <script src="https://calls.example.org/frontdesk.js" defer></script> adds a call button;
// <frontdesk-call></frontdesk-call> puts the call where it stands. No library, no cookie; sound goes by WebRTC, signalling
// by WHIP (RFC 9725), captions by server-sent events. docs/webrtc.md has the attributes.
(() => {
  "use strict";

  const script = document.currentScript;
  const home = new URL(".", script ? script.src : location.href);

  const WORDS = {
    en: {
      title: "Call us", intro: "Talk to us right here. Your browser will ask for your microphone.", language: "Language",
      call: "Start call", again: "Call again", hangUp: "Hang up", mute: "Mute", unmute: "Unmute", keypad: "Keypad",
      open: "Call us", close: "Close", voice: "Your microphone", key: "Key", captions: "What is said",
      you: "You", bot: "Assistant", human: "Agent", asking: "Allow the microphone to begin", connecting: "Connecting …",
      answered: "Connected", waiting: "Finding a person for you", place: (n) => `Place ${n} in the queue`,
      about: (s) => s < 90 ? "less than two minutes" : `about ${Math.round(s / 60)} minutes`,
      ringing: "Ringing a person …", person: "A person is on the line", lost: "Connection lost. Reconnecting …",
      ended: "Call ended", muted: "You are muted", pressed: (k) => `Key ${k}`,
      noMic: "No microphone could be found.", denied: "The microphone is blocked. Allow it in the address bar and try again.",
      insecure: "Browsers give the microphone to pages by HTTPS only.", busy: "All lines are busy. Please try again in a moment.",
      often: "Too many calls from here. Please wait a moment.", failed: "The call could not be connected.", empty: "Captions appear here.",
    },
    zh: {
      title: "联系我们", intro: "就在这里与我们通话。浏览器会请求使用您的麦克风。", language: "语言",
      call: "开始通话", again: "再次通话", hangUp: "挂断", mute: "静音", unmute: "取消静音", keypad: "拨号键盘",
      open: "联系我们", close: "关闭", voice: "您的麦克风", key: "按键", captions: "通话字幕",
      you: "您", bot: "语音助手", human: "客服", asking: "请允许使用麦克风", connecting: "正在接通…",
      answered: "已接通", waiting: "正在为您转接人工", place: (n) => `您排在第 ${n} 位`,
      about: (s) => s < 90 ? "不到两分钟" : `大约 ${Math.round(s / 60)} 分钟`,
      ringing: "正在呼叫客服…", person: "人工客服已接听", lost: "连接中断，正在重新连接…",
      ended: "通话已结束", muted: "您已静音", pressed: (k) => `按键 ${k}`,
      noMic: "没有找到麦克风。", denied: "麦克风被阻止。请在地址栏中允许后重试。",
      insecure: "浏览器只允许 HTTPS 页面使用麦克风。", busy: "线路繁忙，请稍后再试。",
      often: "来自此处的通话过多，请稍候。", failed: "无法接通。", empty: "字幕会显示在这里。",
    },
  };

  const ICONS = {
    phone: "M6.6 3.2 8.9 7.900a1.300 1.300 0 0 1-.25 1.450L7.300 10.700a13 13 0 0 0 6 6l1.350-1.350a1.300 1.300 0 0 1 1.450-.25l4.700 2.300a1.300 1.300 0 0 1 .7 1.450l-.4 1.600a1.900 1.900 0 0 1-1.850 1.400A16.300 16.300 0 0 1 2.150 4.800 1.900 1.900 0 0 1 3.550 2.900l1.600-.4a1.300 1.300 0 0 1 1.450.7z",
    mic: "M12 15a3.500 3.500 0 0 0 3.500-3.500v-6a3.500 3.500 0 0 0-7 0v6A3.500 3.500 0 0 0 12 15zm6.500-3.500a.9.9 0 0 0-1.800 0 4.700 4.700 0 0 1-9.400 0 .9.9 0 0 0-1.800 0 6.500 6.500 0 0 0 5.600 6.400V21H8.600a.9.9 0 0 0 0 1.800h6.800a.9.9 0 0 0 0-1.800h-2.500v-3.100a6.500 6.500 0 0 0 5.600-6.400z",
    keys: "M5 3.500h3v3H5zm5.500 0h3v3h-3zm5.500 0h3v3h-3zM5 9h3v3H5zm5.500 0h3v3h-3zM16 9h3v3h-3zM5 14.500h3v3H5zm5.500 0h3v3h-3zm5.500 0h3v3h-3zM10.500 20h3v3h-3z",
    close: "M6.400 5 12 10.600 17.600 5 19 6.400 13.400 12 19 17.600 17.600 19 12 13.400 6.400 19 5 17.600 10.600 12 5 6.400z",
  };

  const STYLE = `
    :host { --accent: #0b7a66; --accent-strong: #086352; --danger: #c62f3b; --danger-strong: #a8222e; --text: #12202a;
      --soft: #51626e; --card: #ffffff; --line: #dbe3e8; --mine: #e2f3ee; --theirs: #f0f3f6; --focus: #1b6ef3;
      --shadow: 0 1px 2px #0f203014, 0 18px 50px #0f203026;
      display: block; font: 16px/1.5 system-ui, "Segoe UI", Roboto, "Noto Sans", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif;
      color: var(--text); min-height: 0; height: 100%; }
    :host(:not([floating])) { display: grid; align-items: center; }
    @media (prefers-color-scheme: dark) { :host { --accent: #17957d; --accent-strong: #1fae93; --danger: #d94a55; --danger-strong: #e5636d;
      --text: #e6eef2; --soft: #9db0bc; --card: #14212a; --line: #2a3a45; --mine: #123c35; --theirs: #1d2c37; --focus: #7fb2ff;
      --shadow: 0 18px 50px #00000080; } }
    * { box-sizing: border-box; }
    [hidden] { display: none !important; }
    button, select { font: inherit; color: inherit; }
    button { cursor: pointer; border: 0; background: none; padding: 0; }
    :focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; }
    svg { width: 1.5rem; height: 1.5rem; fill: currentColor; flex: none; }
    .card { display: flex; flex-direction: column; gap: 1rem; height: 100%; min-height: 0; padding: 1.5rem; border-radius: 1.5rem;
      background: var(--card); box-shadow: var(--shadow); }
    .card.idle { height: auto; }
    .card.idle .before { gap: 1rem; }
    header { display: flex; align-items: center; gap: .9rem; }
    .badge { width: 3rem; height: 3rem; border-radius: 1rem; display: grid; place-items: center; color: #fff; background: var(--accent); }
    .badge.live { background: var(--accent); animation: live 2.4s steps(24) infinite; } /* ten paints a second: a call may be long */
    @keyframes live { 0% { box-shadow: 0 0 0 0 #17957d66; } 100% { box-shadow: 0 0 0 1rem #17957d00; } }
    h2 { margin: 0; font-size: 1.25rem; line-height: 1.25; font-weight: 650; }
    .status { margin: 0; color: var(--soft); font-size: .925rem; min-height: 1.4em; }
    .status.bad { color: var(--danger); }
    .grow { flex: 1; min-width: 0; }
    .time { font-variant-numeric: tabular-nums; color: var(--soft); }
    .before { display: flex; flex-direction: column; gap: 1.25rem; margin: auto 0; }
    .before p { margin: 0; color: var(--soft); }
    fieldset { border: 0; margin: 0; padding: 0; min-width: 0; }
    legend { padding: 0; margin-bottom: .4rem; font-size: .875rem; color: var(--soft); }
    .choices { display: flex; flex-wrap: wrap; gap: .5rem; }
    .choices label { position: relative; flex: 1; min-width: 7rem; text-align: center; padding: .55rem .75rem; border-radius: .8rem; cursor: pointer;
      border: 1.5px solid var(--line); }
    .choices input { position: absolute; inset: 0; opacity: 0; margin: 0; cursor: pointer; }
    .choices label:has(input:checked) { border-color: var(--accent); background: var(--mine); font-weight: 600; }
    .choices label:has(input:focus-visible) { outline: 3px solid var(--focus); outline-offset: 2px; }
    .wide { display: flex; align-items: center; justify-content: center; gap: .6rem; width: 100%; padding: .9rem 1.25rem; border-radius: 1rem;
      font-weight: 600; color: #fff; background: var(--accent); }
    .wide:hover { background: var(--accent-strong); }
    .wide.danger, .round.danger { background: var(--danger); color: #fff; }
    .wide.danger:hover, .round.danger:hover { background: var(--danger-strong); }
    .log { flex: 1 1 24rem; min-height: 5rem; overflow-y: auto; display: flex; flex-direction: column; gap: .5rem; margin: 0; padding: .15rem; list-style: none;
      scroll-behavior: smooth; overscroll-behavior: contain; }
    .log li { max-width: 88%; padding: .55rem .85rem; border-radius: 1.1rem; border-bottom-left-radius: .35rem; background: var(--theirs);
      align-self: flex-start; overflow-wrap: anywhere; }
    .log li.caller { align-self: flex-end; background: var(--mine); border-radius: 1.1rem; border-bottom-right-radius: .35rem; }
    .log li.cut::after { content: " –"; color: var(--soft); }
    .log li b { display: block; font-size: .75rem; font-weight: 600; color: var(--soft); }
    .log .empty { align-self: center; margin: auto; background: none; color: var(--soft); }
    .meter { display: flex; align-items: center; justify-content: center; gap: 3px; height: 2rem; }
    .meter i { width: 4px; height: 100%; border-radius: 2px; background: var(--accent); transform: scaleY(.08); }
    .meter.muted i { background: var(--line); }
    .actions { display: flex; justify-content: space-evenly; }
    .action { display: flex; flex-direction: column; align-items: center; gap: .3rem; font-size: .8rem; color: var(--soft); min-width: 4.5rem; border-radius: 1rem; }
    .round { width: 3.5rem; height: 3.5rem; border-radius: 50%; display: grid; place-items: center; background: var(--theirs); color: var(--text); }
    .action:not([aria-pressed="true"], [aria-expanded="true"]):hover .round:not(.danger) { background: var(--line); }
    .action[aria-pressed="true"] .round, .action[aria-expanded="true"] .round { background: var(--text); color: var(--card); }
    .danger svg { transform: rotate(135deg); }
    .during { display: grid; gap: 1rem; }
    .keys { display: grid; grid-template-columns: repeat(3, 1fr); gap: .5rem; }
    .keys button { padding: .45rem; border-radius: .8rem; font-size: 1.25rem; font-weight: 600; background: var(--theirs); line-height: 1.2; }
    .keys button:hover { background: var(--line); }
    .keys button:active { background: var(--mine); }
    .launch { position: fixed; right: 1.25rem; bottom: 1.25rem; z-index: 2147483000; display: flex; align-items: center; gap: .6rem;
      padding: .85rem 1.25rem; border-radius: 2rem; color: #fff; background: var(--accent); font-weight: 600; box-shadow: var(--shadow); }
    .launch:hover { background: var(--accent-strong); }
    .float.idle { height: auto; }
    .float { position: fixed; right: 1.25rem; bottom: 5.25rem; z-index: 2147483000; width: min(24rem, calc(100vw - 2.5rem)); height: min(36rem, calc(100vh - 7rem)); }
    .shut { width: 2.5rem; height: 2.5rem; border-radius: 50%; display: grid; place-items: center; color: var(--soft); }
    .shut:hover { background: var(--theirs); }
    .away { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
    @media (prefers-reduced-motion: reduce) { .badge.live { animation: none; } .log { scroll-behavior: auto; } }
    @media (max-height: 34rem) { .card { padding: 1rem; gap: .6rem; } .keys button { padding: .15rem; } .meter { height: 1rem; } }
  `;

  const BARS = 28;
  const RESTART_AFTER_MS = 1500;
  const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"];

  // An element with attributes, listeners (`onclick`) and children.
  function h(name, attributes = {}, ...children) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
      else if (value === true) element.setAttribute(key, "");
      else if (value !== false && value != null) element.setAttribute(key, value);
    }
    element.append(...children);
    return element;
  }

  function icon(name) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", ICONS[name]);
    svg.append(path);
    return svg;
  }

  const wait = (ms) => new Promise((done) => setTimeout(done, ms));
  const nameOf = (tag) => {
    try { return new Intl.DisplayNames([tag], { type: "language" }).of(tag); } catch { return tag; }
  };

  class Refused extends Error {}

  // One call: sound, signalling, and its reconnection. Tells its page by `news(kind, detail)`.
  class Call {
    constructor(line, news) {
      this.line = line;
      this.news = news;
      this.over = false;
      this.candidates = [];
    }

    async begin() {
      if (!window.isSecureContext || !navigator.mediaDevices) throw new Refused("insecure");
      this.news("asking");
      try {
        this.microphone = await navigator.mediaDevices.getUserMedia({
          audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 },
        });
      } catch (error) {
        throw new Refused(error.name === "NotFoundError" ? "noMic" : "denied");
      }
      if (this.over) return this.end();
      this.news("connecting");
      this.peer = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
      this.peer.ontrack = ({ streams, track }) => this.play(streams[0] || new MediaStream([track]));
      this.peer.onicecandidate = ({ candidate }) => this.trickle(candidate);
      this.peer.onconnectionstatechange = () => this.connection();
      const [track] = this.microphone.getAudioTracks();
      this.sender = this.peer.addTrack(track, this.microphone);
      // The offer goes out before it is set, so that the relays named in the answer are used for it (RFC 9725, 4.6).
      const offer = await this.peer.createOffer();
      const answer = await this.ask("POST", new URL(`call?line=${encodeURIComponent(this.line)}`, home), "application/sdp", offer.sdp);
      if (answer.status !== 201) throw new Refused(answer.status === 503 ? "busy" : answer.status === 429 ? "often" : "failed");
      this.url = new URL(answer.headers.get("location"), home);
      this.session = answer.headers.get("etag");
      const iceServers = relays(answer.headers.get("link"));
      if (iceServers.length) this.peer.setConfiguration({ bundlePolicy: "max-bundle", iceServers });
      await this.peer.setLocalDescription(offer);
      await this.peer.setRemoteDescription({ type: "answer", sdp: await answer.text() });
      if (this.over) return this.end();
      this.follow();
      this.leave = () => this.end();
      this.moved = () => this.restart();
      addEventListener("pagehide", this.leave);
      addEventListener("online", this.moved);
    }

    ask(method, url, type, body, more = {}) {
      return fetch(url, { method, body, headers: { ...(type && { "content-type": type }), ...more }, keepalive: method === "DELETE", credentials: "omit" });
    }

    play(stream) {
      this.heard = stream;
      this.speaker = new Audio();
      this.speaker.srcObject = stream;
      this.speaker.play().catch(() => {});
    }

    follow() {
      this.events = new EventSource(new URL(`${this.url.pathname}/events`, home));
      this.events.addEventListener("caption", ({ data }) => this.news("caption", JSON.parse(data)));
      this.events.addEventListener("stage", ({ data }) => {
        const stage = JSON.parse(data);
        this.news("stage", stage);
        if (stage.stage === "ended" || stage.stage === "refused") this.finish(stage.stage === "refused" ? "busy" : null);
      });
    }

    // Candidates found within a moment go together.
    trickle(candidate) {
      if (!candidate || !candidate.candidate) return;
      this.candidates.push(candidate);
      this.sending ??= setTimeout(() => this.sendCandidates(), 60);
    }

    async sendCandidates() {
      this.sending = null;
      if (!this.url || this.over) return;
      // Those of an ICE session that is not agreed yet wait for it.
      if (this.renewing) return void (this.sending = setTimeout(() => this.sendCandidates(), 200));
      const found = this.candidates.splice(0);
      const ufrag = credential(this.peer.localDescription.sdp, "ufrag");
      const ours = found.filter((one) => !one.usernameFragment || one.usernameFragment === ufrag);
      const text = fragment(this.peer.localDescription.sdp, ours);
      await this.ask("PATCH", this.url, "application/trickle-ice-sdpfrag", text, { "if-match": this.session }).catch(() => {});
    }

    connection() {
      const state = this.peer.connectionState;
      if (state === "connected") this.news("back");
      if (state === "failed") this.restart();
      if (state === "disconnected") {
        this.news("lost");
        setTimeout(() => this.peer.connectionState === "disconnected" && this.restart(), RESTART_AFTER_MS);
      }
    }

    // Another network: ICE begins anew, and the call goes on (RFC 9725, 4.4.2).
    async restart() {
      if (this.restarting || this.over || !this.url) return;
      this.restarting = true;
      try {
        for (let pause = 500; !this.over && !(pause > 500 && this.peer.connectionState === "connected"); pause = Math.min(pause * 1.6, 4000)) {
          if (await this.tryRestart().catch(() => false)) {
            await wait(3000);
            if (this.peer.connectionState === "connected") return;
          }
          await wait(pause);
        }
      } finally {
        this.restarting = false;
      }
    }

    async tryRestart() {
      if (this.peer.signalingState === "have-local-offer") await this.peer.setLocalDescription({ type: "rollback" });
      const before = this.peer.remoteDescription.sdp;
      this.candidates = [];
      this.renewing = true;
      try {
        return await this.renew(before);
      } finally {
        this.renewing = false;
      }
    }

    async renew(before) {
      await this.peer.setLocalDescription(await this.peer.createOffer({ iceRestart: true }));
      const text = fragment(this.peer.localDescription.sdp, []);
      const answer = await this.ask("PATCH", this.url, "application/trickle-ice-sdpfrag", text, { "if-match": "*" });
      if (answer.status === 404) return this.finish("failed");
      if (answer.status !== 200) return false;
      this.session = answer.headers.get("etag");
      await this.peer.setRemoteDescription({ type: "answer", sdp: renew(before, await answer.text()) });
      return true;
    }

    press(key) {
      // What still waits is given again: a new string takes the old one's place.
      const dtmf = this.sender?.dtmf;
      dtmf?.insertDTMF(dtmf.toneBuffer + key, 160, 80);
    }

    set muted(muted) {
      for (const track of this.microphone?.getAudioTracks() ?? []) track.enabled = !muted;
    }

    // Hung up here.
    end() {
      if (this.url) this.ask("DELETE", this.url).catch(() => {});
      this.finish(null);
    }

    finish(error) {
      if (this.over && this.finished) return true;
      this.over = this.finished = true;
      removeEventListener("pagehide", this.leave);
      removeEventListener("online", this.moved);
      this.events?.close();
      this.peer?.close();
      if (this.speaker) this.speaker.srcObject = null;
      for (const track of this.microphone?.getTracks() ?? []) track.stop();
      this.news("over", error);
      return true;
    }
  }

  // Link: <turn:...>; rel="ice-server"; username="..."; credential="..."
  function relays(header) {
    return (header || "").split(/,\s*(?=<)/).filter((link) => /rel="?ice-server/.test(link)).map((link) => {
      const named = (name) => new RegExp(`${name}="([^"]*)"`).exec(link)?.[1];
      const server = { urls: /<([^>]*)>/.exec(link)[1] };
      if (named("username")) Object.assign(server, { username: named("username"), credential: named("credential") });
      return server;
    });
  }

  class FrontdeskCall extends HTMLElement {
    connectedCallback() {
      if (this.shadowRoot) return;
      const root = this.attachShadow({ mode: "open" });
      const sheet = new CSSStyleSheet(); // allowed under any site's content security policy
      sheet.replaceSync(STYLE);
      root.adoptedStyleSheets = [sheet];
      this.lines = [];
      this.chosen = this.getAttribute("line");
      this.language = this.getAttribute("language") || navigator.language;
      this.build(root);
      this.load();
    }

    disconnectedCallback() {
      this.call?.end();
    }

    get say() {
      return WORDS[this.language.toLowerCase().startsWith("zh") ? "zh" : "en"];
    }

    build(root) {
      const action = (name, symbol, onclick, danger) => {
        const label = h("span");
        const button = h("button", { class: "action", type: "button", onclick }, h("span", { class: danger ? "round danger" : "round" }, icon(symbol)), label);
        return Object.assign(button, { label, name });
      };
      this.badge = h("div", { class: "badge" }, icon("phone"));
      this.heading = h("h2", { id: "title" });
      this.status = h("p", { class: "status", role: "status" });
      this.time = h("span", { class: "time", "aria-hidden": "true" });
      this.shut = h("button", { class: "shut", type: "button", hidden: !this.hasAttribute("floating"), onclick: () => this.show(false) }, icon("close"));
      this.intro = h("p");
      this.legend = h("legend");
      this.choices = h("div", { class: "choices" });
      this.choice = h("fieldset", { hidden: true }, this.legend, this.choices);
      this.startLabel = h("span");
      this.start = h("button", { class: "wide", type: "button", onclick: () => this.begin() }, icon("phone"), this.startLabel);
      this.before = h("div", { class: "before" }, this.intro, this.choice, this.start);
      this.log = h("ol", { class: "log", role: "log", "aria-live": "polite", tabindex: "0" });
      this.bars = Array.from({ length: BARS }, () => h("i"));
      this.meter = h("div", { class: "meter", role: "meter", "aria-valuemin": "0", "aria-valuemax": "100", "aria-valuenow": "0" }, ...this.bars);
      this.mute = action("mute", "mic", () => this.toggleMute());
      this.keypad = action("keypad", "keys", () => this.toggleKeys());
      this.hang = action("hangUp", "phone", () => this.call?.end(), true);
      this.mute.setAttribute("aria-pressed", "false");
      this.keypad.setAttribute("aria-expanded", "false");
      this.keypad.setAttribute("aria-controls", "keys");
      this.pressed = h("span", { class: "away", role: "status" });
      this.keys = h("div", { class: "keys", id: "keys", role: "group", hidden: true });
      for (const key of KEYS) this.keys.append(h("button", { type: "button", "data-key": key, onclick: () => this.press(key) }, key));
      this.during = h("div", { class: "during", hidden: true }, this.keys, h("div", { class: "actions" }, this.mute, this.keypad, this.hang));
      this.card = h("section", { class: "card", "aria-labelledby": "title", onkeydown: (event) => this.typed(event) },
        h("header", {}, this.badge, h("div", { class: "grow" }, this.heading, this.status), this.time, this.shut),
        this.before, this.log, this.meter, this.during, this.pressed);
      this.log.hidden = true;
      if (this.hasAttribute("floating")) {
        this.card.hidden = true;
        this.card.classList.add("float");
        this.launchLabel = h("span");
        this.launch = h("button", { class: "launch", type: "button", "aria-expanded": "false", onclick: () => this.show(this.card.hidden) }, icon("phone"), this.launchLabel);
        root.append(this.card, this.launch);
      } else {
        root.append(this.card);
      }
      this.stage("idle");
    }

    // Every word on it, in the language chosen.
    reword() {
      const say = this.say;
      this.setAttribute("lang", this.say === WORDS.zh ? "zh" : "en");
      this.heading.textContent = this.getAttribute("label") || say.title;
      this.intro.textContent = say.intro;
      this.legend.textContent = say.language;
      this.startLabel.textContent = this.past ? say.again : say.call;
      this.log.setAttribute("aria-label", say.captions);
      this.meter.setAttribute("aria-label", say.voice);
      this.keys.setAttribute("aria-label", say.keypad);
      this.shut.setAttribute("aria-label", say.close);
      this.mute.label.textContent = this.isMuted ? say.unmute : say.mute;
      this.keypad.label.textContent = say.keypad;
      this.hang.label.textContent = say.hangUp;
      for (const key of this.keys.children) key.setAttribute("aria-label", `${say.key} ${key.dataset.key}`);
      if (this.launch) this.launchLabel.textContent = this.getAttribute("label") || say.open;
      if (!this.hasAttribute("floating") && !this.hasAttribute("label")) document.title = say.title;
    }

    async load() {
      try {
        this.lines = (await (await fetch(new URL("lines", home), { credentials: "omit" })).json()).lines;
      } catch { /* the call itself will say */ }
      const speaks = (line, language) => line.language.split("-")[0] === language.split("-")[0];
      const line = this.lines.find((one) => one.line === this.chosen) || this.lines.find((one) => speaks(one, this.language)) || this.lines[0];
      if (line) this.choose(line);
      // A page that names its line offers no choice.
      this.choice.hidden = this.hasAttribute("line") || this.lines.length < 2;
      const twice = new Set(this.lines.map((one) => one.language)).size < this.lines.length;
      this.choices.replaceChildren(...this.lines.map((one) => h("label", { lang: one.language },
        h("input", { type: "radio", name: "line", value: one.line, checked: one === line, onchange: () => this.choose(one) }),
        twice ? `${nameOf(one.language)} · ${one.line}` : nameOf(one.language))));
    }

    choose(line) {
      this.chosen = line.line;
      this.language = line.language;
      this.reword();
    }

    show(open) {
      this.card.hidden = !open;
      this.launch.setAttribute("aria-expanded", String(open));
      (open ? (this.live ? this.hang : this.start) : this.launch).focus();
    }

    stage(name, error) {
      this.live = ["asking", "connecting", "live"].includes(name);
      const shown = name === "live" || name === "connecting" || (name === "over" && this.log.children.length > 0);
      this.before.hidden = this.live;
      this.intro.hidden = this.log.children.length > 0;
      this.log.hidden = !shown;
      this.card.classList.toggle("idle", !shown);
      this.meter.hidden = this.during.hidden = !(name === "live" || name === "connecting");
      this.badge.classList.toggle("live", name === "live");
      this.status.classList.toggle("bad", Boolean(error));
      this.before.style.margin = this.log.hidden ? "" : "0";
      this.reword();
    }

    tell(text) {
      this.status.textContent = text;
    }

    async begin() {
      if (this.call) return;
      this.log.replaceChildren();
      this.isMuted = false;
      this.past = true;
      const call = this.call = new Call(this.chosen || "", (kind, detail) => this.call === call && this.news(kind, detail));
      try {
        await call.begin();
      } catch (error) {
        console.warn("frontdesk:", error);
        if (call.url) call.ask("DELETE", call.url).catch(() => {});
        call.finish(error instanceof Refused ? error.message : "failed");
      }
    }

    news(kind, detail) {
      const say = this.say;
      if (kind === "asking") {
        this.stage("asking");
        this.tell(say.asking);
      } else if (kind === "connecting") {
        this.stage("connecting");
        this.log.replaceChildren(h("li", { class: "empty" }, say.empty));
        this.tell(say.connecting);
        this.listen();
        this.hang.focus();
      } else if (kind === "caption") {
        this.caption(detail);
      } else if (kind === "stage") {
        this.moved(detail);
      } else if (kind === "lost") {
        this.tell(say.lost);
      } else if (kind === "back") {
        if (this.phase) this.tell(this.phase());
      } else if (kind === "over") {
        this.quiet();
        this.call = this.phase = null;
        if (this.log.querySelector(".empty")) this.log.replaceChildren();
        this.stage("over", detail);
        this.tell(detail ? say[detail] || say.failed : say.ended);
        if (!this.card.hidden) this.start.focus();
      }
    }

    moved(stage) {
      const phases = {
        answered: () => this.say.answered,
        ringing: () => this.say.ringing,
        person: () => this.say.person,
        waiting: () => {
          const parts = [this.say.waiting];
          if (stage.position) parts.push(this.say.place(stage.position));
          if (stage.estimate_s) parts.push(this.say.about(stage.estimate_s));
          return parts.join(" · ");
        },
      };
      if (stage.stage === "answered") {
        this.began = Date.now();
        this.stage("live");
      }
      if (stage.stage === "interrupted") this.log.querySelector("li.bot:last-of-type")?.classList.add("cut");
      if (stage.stage === "language") {
        this.language = stage.language;
        this.reword();
      }
      if (phases[stage.stage]) {
        this.phase = phases[stage.stage];
        this.tell(this.phase());
      }
    }

    caption({ who, text }) {
      this.log.querySelector(".empty")?.remove();
      const near = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 80;
      this.log.append(h("li", { class: who, lang: this.language }, h("b", {}, { caller: this.say.you, person: this.say.human }[who] ?? this.say.bot), text));
      if (near) this.log.scrollTop = this.log.scrollHeight;
    }

    press(key) {
      this.call?.press(key);
      this.pressed.textContent = this.say.pressed(key);
    }

    // Keys of the keyboard are keys of the telephone while a call is up.
    typed(event) {
      if (event.key === "Escape" && !this.keys.hidden) return this.toggleKeys();
      if (!this.call || event.ctrlKey || event.metaKey || event.altKey || !KEYS.includes(event.key)) return;
      event.preventDefault();
      this.press(event.key);
    }

    toggleKeys() {
      this.keys.hidden = !this.keys.hidden;
      this.keypad.setAttribute("aria-expanded", String(!this.keys.hidden));
      this.log.scrollTop = this.log.scrollHeight;
      (this.keys.hidden ? this.keypad : this.keys.firstChild).focus();
    }

    toggleMute() {
      this.isMuted = !this.isMuted;
      if (this.call) this.call.muted = this.isMuted;
      this.mute.setAttribute("aria-pressed", String(this.isMuted));
      this.meter.classList.toggle("muted", this.isMuted);
      this.pressed.textContent = this.isMuted ? this.say.muted : "";
      this.reword();
    }

    // The meter, and the clock.
    listen() {
      this.began = null;
      this.mute.setAttribute("aria-pressed", "false");
      this.meter.classList.remove("muted");
      const context = this.context = new AudioContext();
      const analyser = context.createAnalyser();
      analyser.fftSize = 1024;
      context.createMediaStreamSource(this.call.microphone).connect(analyser);
      const samples = new Float32Array(analyser.fftSize);
      const levels = new Array(BARS).fill(0);
      let shown = 0;
      const draw = (now) => {
        if (this.context !== context) return;
        requestAnimationFrame(draw);
        if (now - shown < 50) return;
        shown = now;
        analyser.getFloatTimeDomainData(samples);
        const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
        const level = this.isMuted ? 0 : Math.max(0, Math.min(1, (10 * Math.log10(power + 1e-9) + 60) / 50));
        levels.push(level);
        levels.shift();
        // Newest in the middle, older ones outwards.
        this.bars.forEach((bar, n) => {
          const age = Math.abs(n - (BARS - 1) / 2) | 0;
          bar.style.transform = `scaleY(${Math.max(0.08, levels[BARS - 1 - age] * (1 - age / BARS))})`;
        });
        this.meter.setAttribute("aria-valuenow", String(Math.round(level * 100)));
        const seconds = this.began ? Math.floor((Date.now() - this.began) / 1000) : 0;
        this.time.textContent = this.began ? `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}` : "";
      };
      requestAnimationFrame(draw);
    }

    quiet() {
      this.context?.close();
      this.context = null;
      this.keys.hidden = true;
      this.keypad.setAttribute("aria-expanded", "false");
    }
  }

  if (!customElements.get("frontdesk-call")) customElements.define("frontdesk-call", FrontdeskCall);

  // The script alone makes a button in the corner, unless the page has a call of its own.
  const add = () => {
    if (!script || document.querySelector("frontdesk-call")) return;
    const element = document.createElement("frontdesk-call");
    element.setAttribute("floating", "");
    for (const name of ["line", "language", "label"]) {
      if (script.dataset[name]) element.setAttribute(name, script.dataset[name]);
    }
    document.body.append(element);
  };
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", add);
  else add();
})();
