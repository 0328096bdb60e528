// The supervisors' wall: calls, queues, agents and who is in distress, as they are now.
import { api, clock, h, icon, since, stillIn, ticker } from "./parts.js";
import { known, say } from "./words.js";
import { Supervision } from "./supervise.js";

const percent = (share) => (share == null ? say().nobody : `${Math.round(share * 100)} %`);

export class Wall {
  // `taken` gets the sound of a caller whom this supervisor has taken over.
  constructor(me, taken) {
    this.me = me;
    this.tools = h("span", { class: "grow" });
    this.floor = h("div", { class: "wall" });
    this.slot = h("div");
    this.root = h("div", {}, this.floor, this.slot);
    this.supervision = new Supervision(me, () => this.drawControls(), taken);
    this.follow();
  }

  follow() {
    const events = (this.events = new EventSource("/api/wall"));
    events.addEventListener("wall", ({ data }) => { this.now = JSON.parse(data); this.supervision.follow(this.now.calls); this.draw(); });
    events.onerror = () => {
      if (events.readyState === EventSource.CLOSED) this.retry = setTimeout(async () => (await stillIn()) && this.follow(), 2000);
    };
  }

  close() {
    clearTimeout(this.retry);
    this.follow = () => {};
    this.events.close();
    this.supervision.end();
  }

  reword() {
    if (this.controls) this.controls.dataset.looks = "";
    this.draw();
  }

  draw() {
    if (!this.now) return;
    const { calls, agents, queues, figures } = this.now;
    const figure = (name, value, hot) => h("div", { class: hot ? "figure hot" : "figure" }, h("b", {}, value), h("span", {}, name));
    const waiting = calls.filter((call) => call.stage === "waiting").length;
    const alerts = calls.filter((call) => call.alert);
    const who = (call) => call.caller.name || call.caller.number || say().web;
    const table = (head, rows, empty) => (rows.length ? h("table", {}, h("thead", {}, h("tr", {}, head.map((name) => h("th", { scope: "col" }, name)))), h("tbody", {}, rows)) : h("p", { class: "soft" }, empty));
    const bar = (value) => {
      const meter = h("span", { class: `bar-meter ${value > 0.6 ? "hot" : value > 0.4 ? "warm" : ""}`, role: "img", "aria-label": percent(value) }, h("i"));
      meter.firstChild.style.width = `${Math.round((value ?? 0) * 100)}%`;
      return meter;
    };
    const focused = document.activeElement?.dataset?.call;
    this.floor.replaceChildren(
      h("h1", { class: "away" }, say().wallTitle),
      h("section", { class: "figures", "aria-label": say().wallTitle },
        figure(say().callsNow, calls.length), figure(say().waiting, waiting, waiting > 0), figure(say().serviceLevel, percent(figures.service_level), figures.service_level != null && figures.service_level < 0.8),
        figure(say().meanWait, figures.waited_s == null ? say().nobody : clock(figures.waited_s)), figure(say().abandoned, figures.abandoned, figures.abandoned > 0), figure(say().callsToday, figures.calls), figure(say().contained, percent(figures.contained))),
      h("section", { class: `card alerts ${alerts.length ? "hot" : ""}`, role: "alert" }, h("h3", {}, icon("alert"), say().alerts), alerts.length ? h("ul", {}, alerts.map((call) => h("li", {}, say().distressed(who(call)), " ", this.showButton(call)))) : h("p", { class: "soft" }, say().noAlerts)),
      h("div", { class: "two" },
        h("section", { class: "card" }, h("h3", {}, say().queuesNow), table([say().queue, say().waiting, say().oldest, say().free, say().busy, say().away, say().serviceLevel, say().answered, say().abandoned], queues.map((queue) => h("tr", {},
          h("th", { scope: "row" }, queue.queue), h("td", { class: queue.waiting ? "hot" : "" }, queue.waiting), h("td", {}, queue.oldest ? ticker(h("span"), () => clock(since(queue.oldest))) : say().nobody), h("td", {}, queue.free), h("td", {}, queue.busy), h("td", {}, queue.away), h("td", {}, percent(queue.figures.service_level)), h("td", {}, queue.figures.answered), h("td", {}, queue.figures.abandoned))))),
        h("section", { class: "card" }, h("h3", {}, say().agentsNow), h("ul", { class: "seats" }, agents.map((agent) => h("li", { class: agent.state }, h("i"), h("span", { class: "grow" }, h("b", {}, agent.display_name), h("span", { class: "soft" }, agent.state === "paused" ? known(agent.reason) : known(agent.state), agent.with ? ` · ${agent.with.name || agent.with.number || say().web}` : "")), agent.state !== "offline" && ticker(h("span", { class: "time" }), () => clock(since(agent.since)))))))),
      h("section", { class: "card" }, h("h3", {}, say().callsNow), table([say().caller, say().line, say().stage, say().queue, say().agent, say().length, say().distress, ""], calls.map((call) => h("tr", { class: call.alert ? "hot" : "" },
        h("th", { scope: "row" }, who(call)), h("td", {}, call.caller.line), h("td", {}, say().stages[call.stage] ?? call.stage), h("td", {}, call.queue ?? say().nobody), h("td", {}, call.agent ?? say().nobody), h("td", {}, ticker(h("span", { class: "time" }), () => clock(since(call.started)))), h("td", {}, call.distress == null ? say().nobody : bar(call.distress)), h("td", {}, this.showButton(call)))), say().noCalls)));
    if (focused) this.floor.querySelector(`[data-call="${CSS.escape(focused)}"]`)?.focus();
    this.drawControls();
  }

  showButton(call) {
    return h("button", { type: "button", class: "small", "data-call": call.call, onclick: () => this.show(call.call) }, say().show);
  }

  async show(call) {
    const story = await api("GET", `/api/calls/${encodeURIComponent(call)}`).catch(() => null);
    if (!story) return;
    const said = story.lines.filter((line) => ["say", "utterance", "overheard"].includes(line.event));
    const who = { say: "bot", utterance: "caller" };
    const close = () => { this.open = null; this.slot.replaceChildren(); };
    this.open = call;
    this.controls = h("div");
    const card = h("section", { class: "card over", role: "dialog", "aria-label": say().transcript, onkeydown: (event) => event.key === "Escape" && close() }, h("header", {}, h("h3", { class: "grow" }, story.caller.name || story.caller.number || say().web), h("button", { type: "button", class: "small", onclick: close }, say().back)), this.controls,
      h("ol", { class: "log", tabindex: "0" }, said.map((line) => h("li", { class: who[line.event] ?? line.who }, h("b", {}, say()[{ say: "bot", utterance: "callerSays" }[line.event] ?? (line.who === "agent" ? "agentSays" : "callerSays")], h("span", { class: "time" }, clock(line.at_ms / 1000))), line.text))));
    this.slot.replaceChildren(card);
    this.drawControls();
    card.querySelector("button").focus();
  }

  // Drawn anew only where it would look different: a button keeps its focus.
  drawControls() {
    if (!this.open || !this.now) return;
    const call = this.now.calls.find((one) => one.call === this.open);
    const looks = JSON.stringify([call?.stage, this.supervision.state(call), this.supervision.error]);
    if (this.controls.dataset.looks === looks) return;
    const focused = this.controls.contains(document.activeElement) && document.activeElement.dataset.do;
    this.controls.dataset.looks = looks;
    this.controls.replaceChildren(this.supervision.controls(call));
    if (focused) this.controls.querySelector(`[data-do="${focused}"]`)?.focus();
  }
}
