// The supervisors' wall: calls, queues, agents and who is in distress, as they are now.
import { api, clock, h, icon, since, stillIn, svg, ticker } from "./parts.js";
import { known, say } from "./words.js";
import { Supervision } from "./supervise.js";

const percent = (share) => (share == null ? say().nobody : `${Math.round(share * 100)} %`);

// The half-hours that are drawn: those with something in them, office hours at least.
const shown = (...days) => {
  const there = [...Array(48).keys()].filter((slot) => days.some((day) => (day?.[slot] ?? 0) > 0.25));
  return [Math.min(16, ...there), Math.max(36, ...there) + 1];
};
const hour = (slot) => `${String(Math.floor(slot / 2)).padStart(2, "0")}:${slot % 2 ? "30" : "00"}`;

// The day by half-hours: bars for what was, a stepped line for what is to be.
function chart(title, told, { bars, line, level, slot, from, to, most, unit }) {
  const [width, height, left, bottom] = [480, 118, 34, 20];
  const highest = Math.max(1, level ?? 0, ...[...bars, ...(line ?? [])].map((value) => value ?? 0));
  const top = most ?? 2 * Math.ceil(highest / 2 + 0.1); // even, so that its half is whole
  const step = (width - left) / (to - from);
  const x = (at) => left + (at - from) * step;
  const y = (value) => 8 + (height - bottom - 8) * (1 - value / top);
  const label = (value) => (unit === "%" ? `${Math.round(value * 100)} %` : String(Math.round(value)));
  const rules = [0, 0.5, 1].map((part) => svg("g", {}, svg("line", { class: "rule", x1: left, x2: width, y1: y(top * part), y2: y(top * part) }), Object.assign(svg("text", { x: left - 5, y: y(top * part) + 3, "text-anchor": "end" }), { textContent: label(top * part) })));
  const hours = [...Array(to - from).keys()].map((n) => n + from).filter((at) => at % 4 === 0).map((at) => Object.assign(svg("text", { x: x(at), y: height - 5, "text-anchor": "middle" }), { textContent: String(at / 2) }));
  const columns = bars.flatMap((value, at) => {
    if (value == null || at < from || at >= to) return [];
    const bar = svg("rect", { class: at === slot ? "bar now" : "bar", x: x(at) + 1.5, y: y(value), width: Math.max(1, step - 3), height: Math.max(0, y(0) - y(value)), rx: "1.5" });
    bar.append(Object.assign(svg("title"), { textContent: `${hour(at)}: ${unit === "%" ? label(value) : value}` }));
    return [bar];
  });
  // Where nothing is known the line is broken.
  let path = "";
  for (let at = from; line && at < to; at += 1) if (line[at] != null) path += `${at > from && line[at - 1] != null ? "L" : "M"}${x(at).toFixed(1)},${y(line[at]).toFixed(1)} H${x(at + 1).toFixed(1)} `;
  return h("figure", { class: "chart" }, h("figcaption", {}, h("b", {}, title), h("span", { class: "soft" }, told)),
    svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${title}. ${told}` }, ...rules, ...hours, ...columns,
      ...(path ? [svg("path", { class: "expected", d: path })] : []), ...(level == null ? [] : [svg("line", { class: "level", x1: left, x2: width, y1: y(level), y2: y(level) })])));
}

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
      this.day(),
      h("div", { class: "two" },
        h("section", { class: "card" }, h("h3", {}, say().queuesNow), table([say().queue, say().waiting, say().oldest, say().free, say().busy, say().away, say().needed, say().serviceLevel, say().answered, say().abandoned], queues.map((queue) => h("tr", {},
          h("th", { scope: "row" }, queue.queue, queue.closed && h("span", { class: "chip" }, say().closed)), h("td", { class: queue.waiting ? "hot" : "" }, queue.waiting), h("td", {}, queue.oldest ? ticker(h("span"), () => clock(since(queue.oldest))) : say().nobody), h("td", {}, queue.free), h("td", {}, queue.busy), h("td", {}, queue.away), h("td", { class: queue.needs > queue.free + queue.busy ? "hot" : "" }, queue.needs ?? say().nobody), h("td", {}, percent(queue.figures.service_level)), h("td", {}, queue.figures.answered), h("td", {}, queue.figures.abandoned))))),
        h("section", { class: "card" }, h("h3", {}, say().agentsNow), h("ul", { class: "seats" }, agents.map((agent) => h("li", { class: agent.state }, h("i"), h("span", { class: "grow" }, h("b", {}, agent.display_name), h("span", { class: "soft" }, agent.state === "paused" ? known(agent.reason) : known(agent.state), agent.with ? ` · ${agent.with.name || agent.with.number || say().web}` : "")), agent.state !== "offline" && ticker(h("span", { class: "time" }), () => clock(since(agent.since)))))))),
      h("section", { class: "card" }, h("h3", {}, say().callsNow), table([say().caller, say().line, say().stage, say().queue, say().agent, say().length, say().distress, ""], calls.map((call) => h("tr", { class: call.alert ? "hot" : "" },
        h("th", { scope: "row" }, who(call)), h("td", {}, call.caller.line), h("td", {}, say().stages[call.stage] ?? call.stage), h("td", {}, call.queue ?? say().nobody), h("td", {}, call.agent ?? say().nobody), h("td", {}, ticker(h("span", { class: "time" }), () => clock(since(call.started)))), h("td", {}, call.distress == null ? say().nobody : bar(call.distress)), h("td", {}, this.showButton(call)))), say().noCalls)));
    if (focused) this.floor.querySelector(`[data-call="${CSS.escape(focused)}"]`)?.focus();
    this.drawControls();
  }

  // The day so far, and as it is to be.
  day() {
    const { day, logged_in: here } = this.now;
    const expected = day.expected;
    const [from, to] = shown(day.calls, expected?.calls, expected?.agents);
    const all = { slot: day.slot, from, to };
    const needed = expected?.agents[day.slot];
    const rounded = (value) => Math.round(value * 10) / 10;
    return h("section", { class: "card day", "aria-label": say().day }, h("h3", {}, say().day), h("div", { class: "charts" },
      chart(say().callsByHalfHour, expected ? say().cameAndExpected(day.calls[day.slot], rounded(expected.calls[day.slot])) : say().noForecast, { ...all, bars: day.calls, line: expected?.calls }),
      expected && chart(say().agentsNeeded, say().neededAndHere(needed ?? say().nobody, here), { ...all, bars: [], line: expected.agents, level: here }),
      chart(say().serviceLevel, say().target, { ...all, bars: day.service_level, level: 0.8, most: 1, unit: "%" }),
      chart(say().contained, "", { ...all, bars: day.contained, most: 1, unit: "%" })));
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
