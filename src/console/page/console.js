// The door of the desk: links, log-in, and the frame around the views.
import { api, authorise, h, icon, Refused, whenLoggedOut } from "./parts.js";
import { say, speak, spoken } from "./words.js";
import { Desk } from "./desk.js";
import { Wall } from "./wall.js";
import { Records } from "./records.js";
import { Staff } from "./staff.js";

const app = document.getElementById("app");
let me = null;
let view = null;
let shown = null;
let desk = null;

const told = (error) => {
  if (!(error instanceof Refused)) return say().failed;
  if (error.status === 429 || error.status === 503) return say().wait(error.after ?? 5);
  return { 401: say().wrong, 403: say().void, 422: say().short }[error.status] ?? say().failed;
};

function languageButton(again) {
  return h("button", { type: "button", class: "plain", lang: spoken() === "zh" ? "en" : "zh-CN", onclick: () => { speak(spoken() === "zh" ? "en" : "zh"); again(); } }, say().other);
}

function card(title, intro, again, ...children) {
  app.className = "door";
  const heading = h("h1", {}, title);
  app.replaceChildren(h("main", { class: "card" }, h("header", {}, h("span", { class: "badge" }, icon("phone")), h("div", { class: "grow" }, heading, intro && h("p", { class: "soft" }, intro)), languageButton(again)), ...children));
}

function field(label, attributes) {
  const input = h("input", { required: true, ...attributes });
  return [h("label", { class: "field" }, h("span", {}, label), input), input];
}

function logIn(note) {
  view?.close();
  desk?.close();
  view = desk = me = null;
  authorise(null);
  document.title = `${say().logIn} – frontdesk`;
  const [name, nameInput] = field(say().account, { name: "username", autocomplete: "username", autofocus: true });
  const [password, passwordInput] = field(say().password, { name: "password", type: "password", autocomplete: "current-password" });
  const status = h("p", { class: "status", role: "alert" }, note ?? "");
  const button = h("button", { class: "wide", type: "submit" }, say().logIn);
  const submit = async (event) => {
    event.preventDefault();
    button.disabled = true;
    try {
      enter(await api("POST", "/api/log-in", { name: nameInput.value, password: passwordInput.value }));
    } catch (error) {
      status.textContent = told(error);
      status.classList.add("bad");
      passwordInput.select();
    } finally {
      button.disabled = false;
    }
  };
  card(say().title, null, () => logIn(note), h("form", { onsubmit: submit }, name, password, status, button));
  nameInput.focus();
}

function welcome(link) {
  document.title = `${say().welcome} – frontdesk`;
  const [first, firstInput] = field(say().password, { type: "password", autocomplete: "new-password", minlength: "10" });
  const [second, secondInput] = field(say().again, { type: "password", autocomplete: "new-password" });
  const status = h("p", { class: "status", role: "alert" });
  const submit = async (event) => {
    event.preventDefault();
    status.classList.add("bad");
    if (firstInput.value !== secondInput.value) return void (status.textContent = say().different);
    try {
      await api("POST", "/api/password", { link, password: firstInput.value });
      history.replaceState(null, "", "/");
      logIn(say().setDone);
    } catch (error) {
      status.textContent = told(error);
    }
  };
  card(say().welcome, say().choose, () => welcome(link), h("form", { onsubmit: submit }, first, second, status, h("button", { class: "wide", type: "submit" }, say().set)));
  firstInput.focus();
}

function views() {
  const all = [];
  if (me.agent) all.push(["desk", "desk", () => (desk ??= new Desk(me))]);
  if (["supervisor", "administrator"].includes(me.role)) all.push(["wall", "wall", () => new Wall(me, takenOver)]);
  if (me.records) all.push(["records", "records", () => new Records(me)]);
  if (me.role === "administrator") all.push(["staff", "staff", () => new Staff(me)]);
  return all;
}

// A supervisor has taken a caller over: the sound goes on at the desk.
function takenOver(talk) {
  desk ??= new Desk(me);
  desk.adopt(talk);
  show("desk");
}

function enter(given) {
  me = given;
  authorise(me.token);
  show(shown && views().some(([name]) => name === shown) ? shown : views()[0]?.[0]);
}

function show(name) {
  // The desk goes on while its agent looks at the wall.
  if (view && view !== desk && shown !== name) view.close();
  if (shown !== name || !view) view = views().find(([one]) => one === name)?.[2]();
  shown = name;
  frame();
}

function frame() {
  app.className = "frame";
  const tabs = views().map(([name, picture]) => h("button", { type: "button", class: "tab", "aria-current": name === shown ? "page" : false, onclick: () => name !== shown && show(name) }, icon(picture), h("span", {}, say()[name])));
  const again = () => { frame(); desk?.reword(); if (view !== desk) view?.reword(); };
  document.title = `${say()[shown] ?? ""} – frontdesk`;
  app.replaceChildren(
    h("a", { class: "skip", href: "#content" }, say().skip),
    h("header", { class: "bar" }, h("span", { class: "badge small" }, icon("phone")), tabs.length > 1 ? h("nav", {}, tabs) : h("strong", {}, say()[shown]), view?.tools ?? h("span", { class: "grow" }),
      languageButton(again), h("button", { type: "button", class: "plain", onclick: logOut, title: me.account }, say().logOut)),
    h("main", { id: "content", tabindex: "-1" }, view?.root ?? ""));
}

async function logOut() {
  await api("POST", "/api/log-out").catch(() => {});
  shown = null;
  logIn();
}

whenLoggedOut(() => me && logIn(say().expired));

async function begin() {
  const link = new URLSearchParams(location.hash.slice(1)).get("welcome");
  if (link) return welcome(link);
  const known = await api("GET", "/api/session").catch(() => ({}));
  if (known.account) enter(known);
  else logIn();
}
// (The skip link changes it too.)
addEventListener("hashchange", () => location.hash.startsWith("#welcome=") && begin());
begin();
