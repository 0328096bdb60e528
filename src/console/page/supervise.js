// A supervisor in a live call: listens, whispers to the agent, joins in, takes the caller over.
import { api, h } from "./parts.js";
import { say } from "./words.js";
import { Silent, Talk } from "./sound.js";

const PARTS = ["listen", "whisper", "barge"];

export class Supervision {
  // `changed` when it looks different; `taken` gets the sound of a caller who was taken over.
  constructor(me, changed, taken) {
    Object.assign(this, { me, changed, taken, talk: null, inside: false, taking: false, error: null });
  }

  // What the wall shows now.
  follow(calls) {
    if (!this.talk) return;
    const call = calls.find((one) => one.call === this.talk.call);
    if (call?.supervisor?.account === this.me.account) return void (this.inside = true);
    if (call && !this.inside) return; // on the way in
    const taken = call && this.taking && this.talk;
    if (taken) this.talk = null;
    this.end();
    if (taken) this.taken(taken);
  }

  end() {
    this.talk?.end();
    Object.assign(this, { talk: null, inside: false, taking: false });
  }

  async part(call, part) {
    this.error = null;
    try {
      if (this.talk?.call !== call) {
        this.end();
        this.talk = new Talk(call, () => {}, "listen");
        await this.talk.answer();
        if (part !== "listen") await this.order(call, part);
      } else {
        await this.order(call, part);
      }
      if (this.talk) this.talk.muted = part === "listen";
    } catch (error) {
      if (!this.inside) this.end();
      this.error = error instanceof Silent ? say().mic[error.message] : say().failed;
    }
    this.changed();
  }

  order(call, what) {
    return api("POST", `/api/calls/${encodeURIComponent(call)}/supervise`, { do: what });
  }

  async takeOver(call) {
    this.taking = true;
    this.talk.muted = false;
    await this.order(call, "take_over").catch(() => { this.taking = false; this.error = say().failed; });
    this.changed();
  }

  leave(call) {
    this.order(call, "leave").catch(() => {}); // the end of the sound says the same
    this.end();
    this.changed();
  }

  // Who else is in the call, or what part is ours.
  state(call) {
    const { account, part } = call?.supervisor ?? {};
    if (account && account !== this.me.account) return { other: account };
    return { part: this.talk?.call === call?.call && this.inside ? part : null };
  }

  controls(call) {
    if (!call) return h("p", { class: "soft" }, say().callOver);
    const { other, part } = this.state(call);
    if (other) return h("p", { class: "soft", role: "status" }, say().supervisedBy(other));
    const talks = call.stage === "person";
    const button = (name, act, disabled, title, pressed) => h("button", { type: "button", class: "small", "data-do": name, disabled, title, "aria-pressed": pressed == null ? false : String(pressed), onclick: act }, say()[name]);
    return h("div", { class: "supervise", role: "group", "aria-label": say().supervision },
      h("div", { class: "buttons" },
        PARTS.map((one) => button(one, () => this.part(call.call, one), one !== "listen" && !talks, one !== "listen" && !talks ? say().noAgentYet : null, one === part)),
        button("takeOver", () => this.takeOver(call.call), !part || !talks || !this.me.agent, this.me.agent ? null : say().noAgentOfMine),
        part && button("leave", () => this.leave(call.call))),
      h("p", { class: this.error ? "status bad" : "status", role: "status" }, this.error ?? (part ? say().supervising[part] : "")));
  }
}
