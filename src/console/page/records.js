// Calls that are over: found, read, and listened to with the words following.
import { api, clock, h } from "./parts.js";
import { known, say } from "./words.js";

// Analysts are told no number at all.
const called = (name, number) => name || number || (number === null ? say().callerSays : say().web);

export class Records {
  constructor(me) {
    this.me = me;
    this.tools = h("span", { class: "grow" });
    this.root = h("div", { class: "records" });
    this.calls = [];
    this.asked = { text: "", since: "", until: "" };
    this.draw();
    this.search();
  }

  close() {
    this.player?.close();
  }

  reword() {
    this.draw();
  }

  async search() {
    const query = new URLSearchParams(Object.entries(this.asked).filter(([, value]) => value));
    this.calls = await api("GET", `/api/records?${query}`).catch(() => []);
    this.drawList();
  }

  async show(call) {
    this.record = await api("GET", `/api/records/${encodeURIComponent(call)}`).catch(() => null);
    this.drawRecord();
    this.drawList();
    this.detail.querySelector("h2")?.focus();
  }

  draw() {
    const input = (name, type) => h("input", { type, value: this.asked[name], oninput: (event) => { this.asked[name] = event.target.value; } });
    const field = (label, element) => h("label", { class: "field" }, h("span", {}, label), element);
    this.list = h("div", { class: "list" });
    this.detail = h("section", { class: "card detail", "aria-label": say().transcript });
    this.root.replaceChildren(
      h("section", { class: "card found" }, h("form", { class: "row", role: "search", onsubmit: (event) => { event.preventDefault(); this.search(); } }, field(say().find, input("text", "search")), field(say().from, input("since", "date")), field(say().until, input("until", "date")), h("button", { type: "submit", class: "wide" }, say().search)), this.list),
      this.detail);
    this.drawList();
    this.drawRecord();
  }

  drawList() {
    const row = (call) => h("li", {}, h("button", { type: "button", "aria-current": this.record?.call === call.call ? "true" : false, onclick: () => this.show(call.call) },
      h("b", {}, called(call.name, call.caller)), h("span", { class: "soft" }, new Date(call.started).toLocaleString([], { dateStyle: "medium", timeStyle: "short" })),
      h("span", {}, call.outcome ? known(call.outcome) : say().running), h("span", { class: "time" }, call.duration_s == null ? "" : clock(call.duration_s))));
    this.list.replaceChildren(this.calls.length ? h("ul", { class: "rows" }, this.calls.map(row)) : h("p", { class: "soft" }, say().nothingFound));
  }

  drawRecord() {
    this.player?.close();
    this.player = this.record && new Player(this.record);
    this.detail.replaceChildren(this.player?.root ?? h("p", { class: "soft" }, say().chooseCall));
  }
}

// A call that is over, with its recording; the words follow the sound, and play it from there.
export class Player {
  constructor(record) {
    const offset = (record.recording_at_ms ?? 0) / 1000;
    const who = { say: ["bot", "bot"], utterance: ["caller", "callerSays"] };
    const lines = record.lines.flatMap((line) => {
      const [kind, name] = who[line.event] ?? (line.event === "overheard" ? (line.who === "agent" ? ["agent", "agentSays"] : ["caller", "callerSays"]) : []);
      const at = (line.start_ms ?? line.at_ms) / 1000;
      const go = () => { if (this.sound) { this.sound.currentTime = Math.max(0, at - offset); this.sound.play().catch(() => {}); } };
      if (kind) return [h("li", { class: kind, "data-at": at }, h("button", { type: "button", onclick: go }, h("b", {}, say()[name], h("span", { class: "time" }, clock(at))), line.text))];
      const text = say().events[line.event]?.(line);
      return text ? [h("li", { class: `event ${line.event}` }, text)] : [];
    });
    const log = h("ol", { class: "log", tabindex: "0" }, lines);
    this.sound = record.recording_at_ms == null ? null : h("audio", { controls: true, preload: "metadata", src: `/api/records/${encodeURIComponent(record.call)}/recording` });
    this.sound?.addEventListener("timeupdate", () => {
      const now = this.sound.currentTime + offset;
      const spoken = lines.filter((line) => line.dataset.at && Number(line.dataset.at) <= now + 0.1).at(-1);
      for (const line of lines) line.classList.toggle("now", line === spoken);
      spoken?.scrollIntoView({ block: "nearest" });
    });
    this.root = h("div", { class: "played" },
      h("header", {}, h("div", { class: "grow" }, h("h2", { tabindex: "-1" }, called(record.caller.name, record.caller.number)), h("p", { class: "soft" }, [record.caller.line, new Date(record.started).toLocaleString(), ...record.legs].join(" · ")))),
      h("p", { class: "headline" }, record.headline), ...record.wrap_ups.map((wrap) => h("p", { class: "soft" }, `${wrap.agent}: `, [wrap.disposition && known(wrap.disposition), wrap.notes].filter(Boolean).join(" – "))), this.sound ?? h("p", { class: "soft" }, say().noRecording), log);
  }

  close() {
    this.sound?.pause();
  }
}
