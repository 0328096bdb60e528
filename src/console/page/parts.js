// What every view uses: elements, pictures, requests, times.

export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value != null) element.setAttribute(key, value);
  }
  element.append(...children.flat().filter((child) => child != null && child !== false));
  return element;
}

export function svg(name, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

const PICTURES = {
  phone: "M6.6 3.2 8.9 7.9a1.3 1.3 0 0 1-.25 1.45L7.3 10.7a13 13 0 0 0 6 6l1.35-1.35a1.3 1.3 0 0 1 1.45-.25l4.7 2.3a1.3 1.3 0 0 1 .7 1.45l-.4 1.6a1.9 1.9 0 0 1-1.85 1.4A16.3 16.3 0 0 1 2.15 4.8 1.9 1.9 0 0 1 3.55 2.9l1.6-.4a1.3 1.3 0 0 1 1.45.7z",
  mic: "M12 15a3.5 3.5 0 0 0 3.5-3.5v-6a3.5 3.5 0 0 0-7 0v6A3.5 3.5 0 0 0 12 15zm6.5-3.5a.9.9 0 0 0-1.8 0 4.7 4.7 0 0 1-9.4 0 .9.9 0 0 0-1.8 0 6.5 6.5 0 0 0 5.6 6.4V21H8.600a.9.9 0 0 0 0 1.8h6.8a.9.9 0 0 0 0-1.8h-2.5v-3.1a6.5 6.5 0 0 0 5.6-6.4z",
  keys: "M5 3.5h3v3H5zm5.5 0h3v3h-3zm5.5 0h3v3h-3zM5 9h3v3H5zm5.5 0h3v3h-3zM16 9h3v3h-3zM5 14.5h3v3H5zm5.5 0h3v3h-3zm5.500 0h3v3h-3zM10.5 20h3v3h-3z",
  stop: "M6 6h12v12H6z",
  pause: "M7 4.500h3.500v15H7zm6.500 0H17v15h-3.500z",
  pass: "M13 4.500 20.500 12 13 19.500v-4.700C8.300 14.800 5.200 16.200 3 19.500c.6-5.300 3.900-9.600 10-10.300z",
  desk: "M3 5.500A1.500 1.500 0 0 1 4.500 4h15A1.500 1.500 0 0 1 21 5.500v9a1.500 1.500 0 0 1-1.500 1.500H13v2h3v2H8v-2h3v-2H4.500A1.500 1.500 0 0 1 3 14.500z",
  wall: "M4 4h7v7H4zm9 0h7v4h-7zM4 13h7v7H4zm9-3h7v10h-7z",
  staff: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zm0 2c-4.400 0-8 2.200-8 5v1.500h16V19c0-2.800-3.600-5-8-5z",
  close: "M6.400 5 12 10.600 17.600 5 19 6.400 13.400 12 19 17.600 17.600 19 12 13.400 6.400 19 5 17.600 10.600 12 5 6.400z",
  records: "M5 3h14v18H5zm3 4v1.800h8V7zm0 4v1.800h8V11zm0 4v1.800h5V15z",
  alert: "M12 3 1.500 21h21zm-1 6.500h2v5.500h-2zm0 7h2v2h-2z",
};

export function icon(name) {
  return svg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, svg("path", { d: PICTURES[name] }));
}

export class Refused extends Error {
  constructor(status, detail, after) {
    super(detail || String(status));
    Object.assign(this, { status, after });
  }
}

let token = null;
let onLoggedOut = () => {};
export const authorise = (given) => { token = given; };
export const whenLoggedOut = (act) => { onLoggedOut = act; };

// A stream that broke: whether it may be followed again.
export async function stillIn() {
  const known = await api("GET", "/api/session").catch(() => ({ account: true }));
  if (!known.account) onLoggedOut();
  return Boolean(known.account);
}

// A request to our API; its JSON, if it has any. Refusals are thrown.
export async function api(method, path, body) {
  const answer = await raw(method, path, body === undefined ? undefined : JSON.stringify(body), "application/json");
  return answer.status === 204 || answer.status === 202 ? null : answer.json();
}

export async function raw(method, path, body, type, more = {}) {
  const headers = { ...(body !== undefined && { "content-type": type }), ...(method !== "GET" && token && { "x-frontdesk-token": token }), ...more };
  const answer = await fetch(path, { method, body, headers, credentials: "same-origin" });
  if (answer.ok) return answer;
  const problem = await answer.json().catch(() => ({}));
  if (answer.status === 401 && token) onLoggedOut();
  throw new Refused(answer.status, problem.detail, Number(answer.headers.get("retry-after")) || null);
}

export const clock = (seconds) => {
  const whole = Math.max(0, Math.floor(seconds));
  const minutes = Math.floor(whole / 60);
  const tail = String(whole % 60).padStart(2, "0");
  return minutes < 60 ? `${minutes}:${tail}` : `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${tail}`;
};

export const since = (time) => (Date.now() - Date.parse(time)) / 1000;

// A text that is kept right every second: `text()` gives it.
const ticking = new Set();
export function ticker(element, text) {
  const entry = { element, text };
  element.textContent = text();
  ticking.add(entry);
  return element;
}
setInterval(() => {
  for (const entry of ticking) {
    if (!entry.element.isConnected) ticking.delete(entry);
    else {
      const text = entry.text();
      if (entry.element.textContent !== text) entry.element.textContent = text;
    }
  }
}, 500);
