// Accounts, and the trail of what was done.
import { api, h } from "./parts.js";
import { say } from "./words.js";

export class Staff {
  constructor(me) {
    this.me = me;
    this.tools = h("span", { class: "grow" });
    this.root = h("div", { class: "staff" });
    this.load();
  }

  close() {}

  reword() {
    this.draw();
  }

  async load() {
    const [known, trail] = await Promise.all([api("GET", "/api/accounts"), api("GET", "/api/audit")]);
    Object.assign(this, known, { trail });
    this.draw();
  }

  async put(name, role, agent) {
    try {
      await api("POST", "/api/accounts", { name, role, agent: agent || null });
      await this.link(name);
    } catch (error) {
      this.told = error.message;
      this.draw();
    }
  }

  async link(name) {
    const { link } = await api("POST", `/api/accounts/${encodeURIComponent(name)}/link`);
    this.shown = { name, link: `${location.origin}/#welcome=${link}` };
    this.told = "";
    await this.load();
    this.root.querySelector("input[readonly]")?.select();
  }

  async remove(name) {
    if (!confirm(say().sure(name))) return;
    await api("DELETE", `/api/accounts/${encodeURIComponent(name)}`).catch((error) => { this.told = error.message; });
    await this.load();
  }

  draw() {
    if (!this.accounts) return;
    const row = (account) => h("tr", {}, h("th", { scope: "row" }, account.name), h("td", {}, say().roles[account.role]), h("td", {}, account.agent ?? say().none), h("td", {}, account.has_password ? say().yes : say().no),
      h("td", { class: "buttons" }, h("button", { type: "button", class: "small", onclick: () => this.link(account.name) }, say().link), account.name !== this.me.account && h("button", { type: "button", class: "small bad", onclick: () => this.remove(account.name) }, say().remove)));
    const name = h("input", { required: true, maxlength: "64", autocomplete: "off" });
    const role = h("select", { "aria-label": say().role }, Object.entries(say().roles).map(([value, text]) => h("option", { value }, text)));
    const agent = h("select", { "aria-label": say().agentOf }, h("option", { value: "" }, say().none), this.agents.map((one) => h("option", { value: one }, one)));
    const field = (label, input) => h("label", { class: "field" }, h("span", {}, label), input);
    const given = this.shown && h("div", { class: "given", role: "status" }, h("p", {}, say().linkFor(this.shown.name)), h("div", { class: "pair" }, h("input", { readonly: true, value: this.shown.link, "aria-label": say().link }),
      h("button", { type: "button", class: "small", onclick: (event) => navigator.clipboard?.writeText(this.shown.link).then(() => { event.target.textContent = say().copied; }) }, say().copy)));
    this.root.replaceChildren(
      h("section", { class: "card" }, h("h2", {}, say().accounts), given ?? "",
        h("table", {}, h("thead", {}, h("tr", {}, [say().account, say().role, say().agentOf, say().hasPassword, ""].map((text) => h("th", { scope: "col" }, text)))), h("tbody", {}, this.accounts.map(row))),
        h("form", { class: "row", onsubmit: (event) => { event.preventDefault(); this.put(name.value, role.value, agent.value); } }, field(say().account, name), field(say().role, role), field(say().agentOf, agent), h("button", { type: "submit", class: "wide" }, say().add)),
        h("p", { class: "status bad", role: "alert" }, this.told ?? "")),
      h("section", { class: "card" }, h("h2", {}, say().trail), h("table", {}, h("thead", {}, h("tr", {}, [say().when, say().who, say().did, say().about].map((text) => h("th", { scope: "col" }, text)))),
        h("tbody", {}, this.trail.map((deed) => h("tr", {}, h("td", { class: "time" }, new Date(deed.at).toLocaleString()), h("td", {}, deed.account), h("td", {}, say().deeds[deed.did] ?? deed.did), h("td", { class: "soft" }, deed.about)))))));
  }
}
