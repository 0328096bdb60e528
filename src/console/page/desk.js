// The agent's desk: state, the call with its story, what can be done with it, and what is written about it.
import { api, clock, h, icon, Refused, since, stillIn, svg, ticker } from "./parts.js";
import { known, say, spoken } from "./words.js";
import { Player } from "./records.js";
import { Bell, microphone, Silent, Talk } from "./sound.js";

const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"];
const EMOTIONS = ["neutral", "happy", "sad", "fear", "angry", "surprise", "disgust"];
const FACTS = ["wanted", "collected", "verified", "tried", "sounded", "open", "last_words"];

export class Desk {
  constructor(me) {
    this.me = me;
    this.state = null;
    this.call = null; // what the server says of it
    this.written = null; // notes and disposition, kept beyond the call
    this.lost = null; // what became of a call that was lost here: a word of `lostCall`
    this.bell = new Bell();
    this.tools = h("div", { class: "tools" });
    this.root = h("div", { class: "desk" });
    this.note = h("p", { class: "status", role: "status" });
    this.typed = (event) => this.shortcut(event);
    addEventListener("keydown", this.typed);
    this.follow();
    this.draw();
  }

  close() {
    this.follow = () => {};
    this.events?.close();
    clearTimeout(this.retry);
    removeEventListener("keydown", this.typed);
    this.bell.stop();
    this.talk?.end();
  }

  // ---- news

  follow() {
    const events = (this.events = new EventSource("/api/desk"));
    const on = (kind, act) => events.addEventListener(kind, ({ data }) => act(JSON.parse(data)));
    on("desk", (first) => {
      this.stream = first.stream;
      this.state = first.agent;
      this.tell("");
      if (first.call) this.take(first.call);
      else if (this.call && !this.call.over) this.over({ call: this.call.call });
      if (first.lost) this.lost = first.lost.became;
      this.draw();
    });
    on("ping", () => api("POST", "/api/here", { stream: this.stream }).catch(() => {}));
    on("state", (agent) => { this.state = agent; this.drawTools(); if (!this.call) this.draw(); });
    on("ring", (call) => this.take(call));
    on("call", (call) => this.take(call));
    on("line", ({ call, line }) => this.line(call, line));
    on("party", ({ call, party }) => { if (this.call?.call === call) { this.call.party = party; this.drawActions(); } });
    on("over", (over) => this.over(over));
    on("lost", ({ became }) => { this.lost = became; this.draw(); });
    events.onerror = () => {
      this.tell(say().lost, true);
      // Refused: logged out, perhaps; asking says so.
      if (events.readyState === EventSource.CLOSED) this.retry = setTimeout(async () => (await stillIn()) && this.follow(), 2000);
    };
  }

  take(call) {
    const known_ = this.call?.call === call.call && !this.call.over;
    const before = this.call;
    this.call = call;
    if (!known_) {
      if (before?.over) this.save().catch(() => this.tell(say().failed, true));
      this.written = { call: call.call, notes: "", disposition: "", intent: "", emotion: "", headline: "" };
      this.lost = null;
      this.intents = null;
      this.earlier = null;
      this.error = null;
      this.panel = null;
      this.found = null;
      const last = call.lines.findLast((line) => line.event === "utterance");
      if (call.knowledge && last) this.suggest(last.text);
      this.loadEarlier(call.call);
    }
    if (call.stage === "ringing") {
      this.bell.ring();
      document.title = `☎ ${say().incoming} – frontdesk`;
      if (call.by === "browser" && this.talk?.call !== call.call) {
        this.talk?.end();
        this.talk = new Talk(call.call, (state) => this.sounds(state));
      }
    } else {
      this.bell.stop();
      this.connectedAt ??= Date.now();
      document.title = `${say().talking} – frontdesk`;
    }
    this.draw();
    if (!known_ && !this.busyTyping()) this.root.querySelector("[data-first]")?.focus();
  }

  over({ call, ended }) {
    if (this.talk?.call === call) {
      this.talk.end();
      this.talk = null;
    }
    if (this.call?.call !== call) return;
    this.bell.stop();
    document.title = `${say().desk} – frontdesk`;
    this.connectedAt = null;
    const talked = this.call.stage === "talking";
    this.call.over = true;
    this.panel = null;
    if (!talked) {
      if (this.declined !== call) this.lost = ended ? "gaveUp" : "elsewhere";
      this.call = this.written = null;
    }
    this.draw();
    this.root.querySelector("select")?.focus();
  }

  line(call, line) {
    if (this.call?.call !== call) return;
    this.call.lines.push(line);
    if (line.event === "emotion" || line.event === "mood") this.drawCurve();
    if (["connected", "desk_step", "desk_step_over"].includes(line.event)) this.drawActions();
    if (line.event === "slot") this.drawStory();
    this.append(line);
    if (this.call.knowledge && (line.event === "utterance" || (line.event === "overheard" && line.who === "caller"))) this.suggest(line.text);
  }

  // What the operators' pages say to the caller's words; a word or two ask nothing.
  async suggest(words, asked) {
    const long = words.trim().split(/\s+/).length > 2 || /\p{Script=Han}{4}/u.test(words);
    if (!asked && !long) return;
    const call = this.call.call;
    const found = await api("GET", `/api/calls/${encodeURIComponent(call)}/suggest?words=${encodeURIComponent(words)}`).catch(() => []);
    if (this.call?.call !== call) return;
    this.found = { words, found };
    this.drawFound();
  }

  // The caller is here already, by this sound.
  adopt(talk) {
    this.talk?.end();
    this.talk = talk;
    talk.news = (state) => this.sounds(state);
  }

  sounds(state) {
    if (state === "failed" || state === "disconnected") this.tell(say().soundLost, true);
    if (state === "connected") this.tell("");
  }

  async loadEarlier(call) {
    const earlier = await api("GET", `/api/calls/${encodeURIComponent(call)}/earlier`).catch(() => []);
    if (this.call?.call !== call) return;
    this.earlier = earlier;
    this.drawStory();
  }

  // ---- what the agent does

  async wish(state, reason) {
    try {
      if (state === "ready" && this.state?.by === "browser") {
        // Asked for now, so that the browser's question is not in the way of a call.
        for (const track of (await microphone()).getTracks()) track.stop();
      }
      await api("POST", "/api/state", reason ? { state, reason } : { state });
      this.lost = null;
      this.tell("");
      return true;
    } catch (error) {
      this.tell(error instanceof Silent ? say().mic[error.message] : say().failed, true);
      return false;
    }
  }

  async answer() {
    if (!this.talk || this.answering) return;
    this.answering = true;
    this.bell.stop();
    this.drawActions();
    try {
      await this.talk.answer();
    } catch (error) {
      this.error = error instanceof Silent ? say().mic[error.message] : say().mic.failed;
      this.drawActions();
    } finally {
      this.answering = false;
    }
  }

  async order(what) {
    if (!this.call || this.call.over) return;
    if (what.do === "hang_up") this.declined = this.call.call;
    try {
      await api("POST", `/api/calls/${encodeURIComponent(this.call.call)}/order`, what);
      this.error = null;
    } catch (error) {
      this.error = error instanceof Refused && error.status === 409 ? null : say().failed;
      this.drawActions();
    }
  }

  mute() {
    const on = !this.call.party?.muted;
    if (this.talk) this.talk.muted = on;
    this.order({ do: "mute", on });
  }

  async save() {
    const { call, notes, disposition, intent, emotion, headline } = this.written;
    await api("PUT", `/api/calls/${encodeURIComponent(call)}/wrap-up`, { notes, disposition: disposition || null, intent: intent || null, emotion: emotion || null, headline: headline.trim() || null });
    this.drawStory();
  }

  async saved(next) {
    try {
      await this.save();
      if (next) {
        if (!(next === "ready" ? await this.wish("ready") : await this.wish("paused", next))) return;
        this.call = this.written = null;
        this.draw();
        this.root.querySelector("h2")?.focus();
      }
      this.tell(say().saved);
    } catch {
      this.tell(say().failed, true);
    }
  }

  shortcut(event) {
    if (!event.altKey || event.ctrlKey || event.metaKey || !this.root.isConnected || !this.call || this.call.over) return;
    const talks = this.call.stage === "talking";
    const act = {
      KeyA: () => !talks && this.answer(),
      KeyE: () => this.order({ do: "hang_up" }),
      KeyH: () => talks && this.order({ do: "hold", on: !this.call.party?.held }),
      KeyM: () => talks && this.mute(),
      KeyT: () => talks && this.open("transfer"),
      KeyK: () => talks && this.open("keypad"),
    }[event.code];
    if (!act) return;
    event.preventDefault();
    act();
  }

  open(panel) {
    this.panel = this.panel === panel ? null : panel;
    this.drawActions();
    this.root.querySelector(".panel input, .panel button")?.focus();
  }

  busyTyping() {
    return this.root.contains(document.activeElement) && ["TEXTAREA", "INPUT", "SELECT"].includes(document.activeElement.tagName);
  }

  tell(text, bad) {
    this.note.textContent = text;
    this.note.classList.toggle("bad", Boolean(bad));
  }

  // ---- how it looks

  reword() {
    this.draw();
  }

  draw() {
    this.drawTools();
    if (!this.call) {
      this.story = this.log = this.actions = this.curve = null;
      return this.root.replaceChildren(this.idle());
    }
    this.story = h("section", { class: "column story", "aria-label": say().summary });
    this.curve = h("figure", { class: "curve" });
    this.log = h("ol", { class: "log", role: "log", "aria-live": "polite", "aria-label": say().transcript, tabindex: "0" });
    this.actions = h("section", { class: "card acts", "aria-label": say().talking });
    this.root.replaceChildren(
      this.story,
      h("section", { class: "column talk" }, h("div", { class: "card grow" }, h("h3", {}, say().transcript), this.curve, this.log)),
      h("div", { class: "column" }, this.actions, this.writing()));
    this.drawStory();
    this.drawCurve();
    for (const line of this.call.lines) this.append(line);
    this.log.scrollTop = this.log.scrollHeight;
    this.drawActions();
  }

  drawTools() {
    const state = this.state?.state ?? "offline";
    const busy = ["ringing", "talking", "reserved"].includes(state);
    const pill = h("span", { class: `pill ${state}`, role: "status", "aria-label": say().myState }, h("i"), h("span", {}, state === "paused" ? known(this.state.reason) : known(state)),
      this.state && state !== "offline" && ticker(h("span", { class: "time", "aria-hidden": "true" }), () => this.state.until && state === "wrap_up" ? clock(-since(this.state.until)) : clock(since(this.state.since))));
    const buttons = [];
    if (!["available", "ringing", "talking"].includes(state)) {
      buttons.push(h("button", { type: "button", class: "small good", onclick: () => this.wish("ready") }, state === "offline" ? say().ready : say().resume));
    }
    if (state !== "offline") {
      const reasons = h("select", { "aria-label": say().reason, onchange: (event) => { const reason = event.target.value; event.target.value = ""; if (reason) this.wish("paused", reason); } },
        h("option", { value: "" }, say().pause), this.me.pauses.map((reason) => h("option", { value: reason }, known(reason))));
      buttons.push(reasons);
      if (!busy && this.state?.by === "browser") buttons.push(h("button", { type: "button", class: "small", onclick: () => this.wish("off") }, say().off));
    }
    this.tools.replaceChildren(pill, h("div", { class: "buttons", role: "group", "aria-label": say().myState }, buttons), h("span", { class: "grow" }), this.note);
  }

  idle() {
    const state = this.state?.state ?? "offline";
    const [title, text] = { available: [say().idleReady, say().idleReadyText], paused: [say().idlePaused, say().idlePausedText], resting: [say().resting, say().missed], wrap_up: [say().idleWrap, say().idleWrapText] }[state]
      ?? (state === "offline" ? [say().idleOff, this.state?.by === "phone" ? say().noPhone : say().idleOffText] : [known(state), ""]);
    const picture = h("div", { class: `halo ${state}` }, icon(state === "paused" || state === "resting" ? "pause" : "phone"));
    return h("section", { class: "idle" }, picture, h("h2", { tabindex: "-1" }, title), h("p", { class: "soft" }, text), this.whatBecame(),
      state === "offline" && this.state?.by === "browser" && h("button", { type: "button", class: "wide", onclick: () => this.wish("ready") }, say().ready),
      this.state?.queues?.length && h("p", { class: "soft chips", "aria-label": say().queues }, this.state.queues.map((queue) => h("span", { class: "chip" }, queue))));
  }

  // Of the call that was lost here, or not answered.
  whatBecame() {
    return this.lost ? h("p", { class: "status bad", role: "alert" }, say().lostCall[this.lost]) : null;
  }

  drawStory() {
    if (!this.story) return;
    const { caller, summary, queue, lines } = this.call;
    const who = caller.name || caller.number || (caller.dialled && !caller.number ? say().web : say().unknown);
    const waits = lines.findLast((line) => line.event === "transfer");
    const facts = h("dl", { class: "facts" });
    for (const kind of FACTS) {
      const texts = (summary?.facts ?? []).filter((fact) => fact.kind === kind).map((fact) => fact.text);
      if (texts.length) facts.append(h("dt", {}, say()[kind]), ...texts.map((text) => h("dd", { class: kind }, text)));
    }
    const earlier = this.earlier?.map((call) => h("li", {}, h("span", { class: "soft" }, new Date(call.started).toLocaleString([], { dateStyle: "medium", timeStyle: "short" })), h("span", {}, call.headline || known(call.outcome)), call.hear && h("button", { type: "button", class: "small", onclick: () => this.listen(call.call) }, say().hear),
      call.wrap_ups.map((wrap) => h("q", {}, [wrap.disposition && known(wrap.disposition), wrap.notes].filter(Boolean).join(": "))))) ?? [];
    this.story.replaceChildren(
      h("div", { class: "card" },
        h("header", {}, h("span", { class: "face", "aria-hidden": "true" }, icon("staff")), h("div", { class: "grow" }, h("h2", {}, who), h("p", { class: "soft" }, caller.name && caller.number ? caller.number : caller.dialled))),
        h("p", { class: "chips" }, h("span", { class: "chip" }, `${say().line} ${caller.line}`), queue && h("span", { class: "chip" }, `${say().queue} ${queue}`),
          waits && this.call.stage === "ringing" && h("span", { class: "chip" }, `${say().waited} `, ticker(h("span"), () => clock(since(this.call.started) - waits.at_ms / 1000))))),
      h("div", { class: "card" }, h("h3", {}, say().summary), h("p", { class: "headline" }, this.written?.headline.trim() || summary?.headline || ""), facts),
      this.call.knowledge ? this.knowledge() : "",
      h("div", { class: "card" }, h("h3", {}, say().earlier), earlier.length ? h("ul", { class: "earlier" }, earlier) : h("p", { class: "soft" }, say().noEarlier)));
  }

  // An earlier call, over the desk; Escape leads back.
  async listen(call) {
    const record = await api("GET", `/api/records/${encodeURIComponent(call)}`).catch(() => null);
    if (!record) return this.tell(say().failed, true);
    const player = new Player(record);
    const close = h("button", { type: "button", class: "small", onclick: () => dialog.close() }, say().back);
    const dialog = h("dialog", { class: "card detail", "aria-label": say().transcript }, player.root, close);
    dialog.addEventListener("close", () => { player.close(); dialog.remove(); });
    document.body.append(dialog);
    dialog.showModal();
    player.root.querySelector("h2").focus();
  }

  knowledge() {
    const words = h("input", { type: "search", "aria-label": say().ask, placeholder: say().ask });
    this.replies = h("div", { class: "replies", "aria-live": "polite" });
    this.drawFound();
    return h("div", { class: "card" }, h("h3", {}, say().replies), h("form", { onsubmit: (event) => { event.preventDefault(); if (words.value.trim()) this.suggest(words.value, true); } }, words), this.replies);
  }

  drawFound() {
    if (!this.replies) return;
    const found = this.found?.found ?? [];
    this.replies.replaceChildren(...found.map((one, n) => h("details", { open: n === 0 }, h("summary", {}, one.source.replace(/^.*#/, ""), h("span", { class: "time" }, `${Math.round(one.score * 100)} %`)), h("p", {}, one.text))),
      found.length ? "" : h("p", { class: "soft" }, say().noReplies));
  }

  drawCurve() {
    if (!this.curve) return;
    const readings = this.call.lines.filter((line) => line.event === "emotion");
    if (!readings.length) return this.curve.replaceChildren(h("figcaption", { class: "soft" }, `${say().emotion}: ${say().noEmotion}`));
    const last = Math.max(1, readings.at(-1).end_ms);
    const x = (line) => 4 + (line.end_ms / last) * 312;
    const y = (line) => 60 - line.distress * 54;
    const points = readings.map((line) => `${x(line).toFixed(1)},${y(line).toFixed(1)}`).join(" ");
    const percent = (distress) => Math.round(distress * 100);
    const now = readings.at(-1).distress;
    const told = say().emotionNow(percent(now), percent(Math.max(...readings.map((line) => line.distress))));
    const level = now > 0.6 ? "hot" : now > 0.4 ? "warm" : "cool";
    this.curve.replaceChildren(
      h("figcaption", {}, h("span", {}, say().emotion), h("span", { class: `level ${level}` }, told)),
      svg("svg", { viewBox: "0 0 320 64", preserveAspectRatio: "none", role: "img", "aria-label": told },
        svg("path", { class: "zone", d: "M0 6H320V27.600H0z" }), svg("path", { class: `area ${level}`, d: `M${x(readings[0])},60 L${points.replaceAll(" ", " L")} L${x(readings.at(-1))},60Z` }),
        svg("polyline", { class: `curveline ${level}`, points }), svg("circle", { class: `dot ${level}`, cx: x(readings.at(-1)), cy: y(readings.at(-1)), r: "3.500" })));
  }

  append(line) {
    if (!this.log) return;
    const near = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 90;
    const said = { say: ["bot", say().bot], utterance: ["caller", say().callerSays], overheard: [line.who === "agent" ? "agent" : "caller", line.who === "agent" ? say().agentSays : say().callerSays] }[line.event];
    if (said) {
      this.log.append(h("li", { class: said[0] }, h("b", {}, said[1], h("span", { class: "time" }, clock(line.at_ms / 1000))), line.text));
    } else if (line.event === "interrupted") {
      this.log.querySelector("li.bot:last-of-type")?.classList.add("cut");
    } else {
      const text = say().events[line.event]?.(line);
      if (text) this.log.append(h("li", { class: `event ${line.event}` }, text));
    }
    if (near) this.log.scrollTop = this.log.scrollHeight;
  }

  drawActions() {
    if (!this.actions) return;
    const { stage, by, over, party, lines, desk_steps: steps } = this.call;
    const error = this.error && h("p", { class: "status bad", role: "alert" }, this.error);
    if (over) return this.actions.replaceChildren(h("header", {}, h("span", { class: "badge grey" }, icon("phone")), h("div", { class: "grow" }, h("h2", {}, say().callOver))), this.whatBecame() ?? "");
    if (stage === "ringing") {
      const connecting = this.answering;
      return this.actions.replaceChildren(
        h("header", { class: "ringing" }, h("span", { class: "badge live" }, icon("phone")), h("div", { class: "grow" }, h("h2", {}, say().incoming), h("p", { class: "soft", role: "status" }, connecting ? say().connecting : by === "phone" ? say().onPhone : ""))),
        error ?? "",
        h("div", { class: "pair" }, by === "browser" && h("button", { type: "button", class: "wide", "data-first": true, disabled: connecting, title: "Alt+A", onclick: () => this.answer() }, icon("phone"), say().answer),
          h("button", { type: "button", class: "wide danger", title: "Alt+E", onclick: () => this.order({ do: "hang_up" }) }, icon("close"), say().decline)));
    }
    const connected = lines.some((line) => line.event === "connected" && line.agent === this.me.agent);
    const consult = party?.consult;
    const aside = lines.findLast((line) => line.event === "desk_step" || line.event === "desk_step_over");
    const lent = aside?.event === "desk_step" && aside.agent === this.me.agent;
    const status = !connected ? say().briefing : lent ? say().lent(aside.step) : consult && consult.state !== "failed" && !(consult.state === "joined" && party.held) ? say().consulting[consult.state](consult.to) : party?.held ? say().onHold : party?.muted ? say().muted : say().withCaller;
    const action = (label, picture, title, pressed, act, danger) => h("button", { type: "button", class: danger ? "action danger" : "action", title, "aria-pressed": pressed == null ? false : String(pressed), onclick: act }, h("span", { class: danger ? "round danger" : "round" }, icon(picture)), h("span", {}, label));
    const moved = party?.transfer && h("p", { class: "status", role: "status" }, say().transferring(party.transfer.status));
    const coach = party?.supervisor && h("p", { class: "status", role: "status" }, say().coach[party.supervisor.part](party.supervisor.account));
    const failed = consult?.state === "failed" && h("p", { class: "status bad", role: "alert" }, say().consulting.failed(consult.to));
    this.actions.replaceChildren(
      h("header", {}, h("span", { class: "badge live" }, icon("phone")), h("div", { class: "grow" }, h("h2", {}, say().talking), h("p", { class: "soft", role: "status" }, status)), this.connectedAt && ticker(h("span", { class: "time big" }), () => clock((Date.now() - (this.connectedAt ?? Date.now())) / 1000))),
      ...[error, moved, failed, coach].filter(Boolean),
      !connected ? h("button", { type: "button", class: "wide", onclick: () => this.order({ do: "skip_briefing" }) }, say().skipBriefing) : "",
      consult && consult.state !== "failed" ? h("div", { class: "pair" },
        h("button", { type: "button", class: "wide", disabled: consult.state === "ringing", onclick: () => this.order({ do: "consult_done" }) }, icon("pass"), consult.state === "joined" ? say().leaveThem : say().consultDone),
        consult.state === "talking" && h("button", { type: "button", class: "wide grey", onclick: () => this.order({ do: "join_all" }) }, say().joinAll),
        h("button", { type: "button", class: "wide grey", onclick: () => this.order({ do: "consult_over" }) }, consult.state === "joined" ? say().dropThird(consult.to) : say().consultOver)) : "",
      lent ? h("button", { type: "button", class: "wide", onclick: () => this.order({ do: "desk_step_over" }) }, say().fetchBack) : "",
      h("div", { class: "actions" }, lent ? [] : [
        action(party?.held ? say().unhold : say().hold, "pause", "Alt+H", Boolean(party?.held), () => this.order({ do: "hold", on: !party?.held })),
        action(party?.muted ? say().unmute : say().mute, "mic", "Alt+M", Boolean(party?.muted), () => this.mute()),
        party?.recorded && action(say().stopRecording, "stop", null, null, () => this.order({ do: "stop_recording" })),
        action(say().keypad, "keys", "Alt+K", this.panel === "keypad", () => this.open("keypad")),
        consult?.state !== "joined" && action(say().transfer, "pass", "Alt+T", this.panel === "transfer", () => this.open("transfer"))],
        action(say().hangUp, "phone", "Alt+E", null, () => this.order({ do: "hang_up" }), true)),
      connected && !lent && (!consult || consult.state === "failed") && steps?.length ? h("div", { class: "people", role: "group", "aria-label": say().lend }, h("span", { class: "soft" }, say().lend), steps.map((step) => h("button", { type: "button", class: "chip person", onclick: () => this.order({ do: "desk_step", step }) }, known(step)))) : "",
      lent ? "" : this.panel === "keypad" ? this.keypad() : this.panel === "transfer" ? this.transfer() : "");
  }

  keypad() {
    return h("div", { class: "panel keys", role: "group", "aria-label": say().keypad }, KEYS.map((key) => h("button", { type: "button", "aria-label": `${say().key} ${key}`, onclick: () => this.order({ do: "key", key }) }, key)));
  }

  transfer() {
    const to = h("input", { list: "people", placeholder: say().toHint, "aria-label": say().to, autocomplete: "off" });
    const people = h("datalist", { id: "people" });
    const chips = h("div", { class: "people", role: "group", "aria-label": say().colleagues });
    api("GET", "/api/directory").then(({ agents, queues }) => {
      people.append(...agents.map((agent) => h("option", { value: agent.name }, agent.display_name)), ...queues.map((queue) => h("option", { value: queue }, say().queue)));
      chips.append(...agents.slice(0, 12).map((agent) => h("button", { type: "button", class: `chip person ${agent.state}`, onclick: () => { to.value = agent.name; to.focus(); } }, h("i"), agent.display_name, h("span", { class: "away" }, ` (${known(agent.state)})`))),
        ...queues.slice(0, 12).map((queue) => h("button", { type: "button", class: "chip person", onclick: () => { to.value = queue; to.focus(); } }, `${say().queue} ${queue}`)));
    }).catch(() => {});
    const go = (what) => { if (to.value.trim()) { this.order({ do: what, to: to.value.trim() }); this.panel = null; } };
    return h("form", { class: "panel", onsubmit: (event) => { event.preventDefault(); go("transfer"); } }, h("label", { class: "field" }, h("span", {}, say().to), to), people, chips,
      h("div", { class: "pair" }, h("button", { type: "submit", class: "wide" }, say().transferNow), h("button", { type: "button", class: "wide grey", onclick: () => go("consult") }, say().consult)));
  }

  writing() {
    if (this.call.stage === "ringing") return "";
    const { notes, disposition } = this.written;
    const choose = h("select", { "aria-label": say().disposition, onchange: (event) => { this.written.disposition = event.target.value; } }, h("option", { value: "" }, say().noDisposition), this.me.dispositions.map((one) => h("option", { value: one, selected: one === disposition }, known(one))));
    const text = h("textarea", { rows: "6", maxlength: "10000", oninput: (event) => { this.written.notes = event.target.value; } });
    text.value = notes;
    const buttons = this.call.over
      ? [h("button", { type: "button", class: "wide", onclick: () => this.saved("ready") }, say().done), h("button", { type: "button", class: "wide grey", onclick: () => this.saved(this.me.pauses.includes("after_call") ? "after_call" : this.me.pauses[0]) }, say().moreTime)]
      : [h("button", { type: "button", class: "wide grey", onclick: () => this.saved() }, say().save)];
    return h("section", { class: "card grow writing", "aria-label": say().after }, h("h3", {}, say().after), h("label", { class: "field" }, h("span", {}, say().disposition), choose), h("label", { class: "field grow" }, h("span", {}, say().notes), text), this.corrections(), h("div", { class: "pair" }, buttons));
  }

  // What was otherwise than the engine made of it.
  corrections() {
    const { call, intent, emotion, headline } = this.written;
    const field = (label, element) => h("label", { class: "field" }, h("span", {}, label), element);
    const choose = (name, options) => h("select", { onchange: (event) => { this.written[name] = event.target.value; } }, options);
    const understood = this.call.lines.findLast((line) => line.event === "intent")?.chosen;
    const wants = choose("intent", []);
    const fill = () => wants.replaceChildren(h("option", { value: "" }, say().asUnderstood(understood ? this.labelOf(understood) : say().nobody)),
      ...Object.keys(this.intents ?? {}).filter((name) => name !== understood).map((name) => h("option", { value: name, selected: name === intent }, this.labelOf(name))));
    fill();
    if (!this.intents) api("GET", `/api/calls/${encodeURIComponent(call)}/intents`).then((intents) => { if (this.written?.call === call) { this.intents = intents; fill(); } }).catch(() => {});
    const heard = this.call.lines.some((line) => line.event === "emotion");
    const sounds = choose("emotion", [h("option", { value: "" }, say().asHeard), ...EMOTIONS.map((one) => h("option", { value: one, selected: one === emotion }, say().emotions[one]))]);
    const line = h("input", { maxlength: "200", placeholder: this.call.summary?.headline ?? "", oninput: (event) => { this.written.headline = event.target.value; } });
    line.value = headline;
    return h("details", { class: "corrections", open: Boolean(intent || emotion || headline) }, h("summary", {}, say().correct), field(say().wanted, wants), heard && field(say().sounded, sounds), field(say().headline, line));
  }

  labelOf(intent) {
    const labels = this.intents?.[intent] ?? {};
    return labels[spoken()] ?? Object.values(labels)[0] ?? known(intent);
  }
}
