// Drives Chromium for a test: one JSON command a line on standard input, one JSON reply a line on standard output.
//   node driver.mjs CHROMIUM MICROPHONE.wav
// {"do":"open","url":...} {"do":"run","js":...} {"do":"click","name":...} {"do":"key","key":...} {"do":"wait","js":...}
// {"do":"fill","label":...,"value":...} {"do":"select","label":...,"value":...}
// {"do":"shot","path":...} {"do":"offline","offline":true} {"do":"emulate",...} {"do":"close"}
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const [executablePath, microphone] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath,
  args: [
    "--no-sandbox", // tests run as root in containers
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    `--use-file-for-fake-audio-capture=${microphone}`,
    "--autoplay-policy=no-user-gesture-required",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--allow-loopback-in-peer-connection",
  ],
});
const context = await browser.newContext({ permissions: ["microphone"], viewport: { width: 460, height: 760 }, deviceScaleFactor: 2 });
// What a test wants to look at: every connection that a page makes.
await context.addInitScript(() => {
  window.__peers = [];
  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...given) {
      super(...given);
      window.__peers.push(this);
    }
  };
});
const page = await context.newPage();
const console_ = [];
page.on("console", (message) => console_.push(`${message.type()}: ${message.text()}`));
page.on("pageerror", (error) => console_.push(`error: ${error.message}`));

const commands = {
  open: ({ url }) => page.goto(url).then(() => null),
  content: ({ html }) => page.setContent(html).then(() => null),
  run: ({ js }) => page.evaluate(js),
  click: ({ name, role }) => page.getByRole(role ?? "button", { name, exact: true }).click({ timeout: 10_000 }).then(() => null),
  fill: ({ label, value }) => page.getByLabel(label, { exact: true }).fill(value, { timeout: 10_000 }).then(() => null),
  select: ({ label, value }) => page.getByLabel(label, { exact: true }).selectOption(value, { timeout: 10_000 }).then(() => null),
  key: ({ key }) => page.keyboard.press(key).then(() => null),
  // (Playwright's own waiting evaluates in the page, which its content security policy forbids.)
  wait: async ({ js }) => {
    for (const until = Date.now() + 30_000; !(await page.evaluate(`Boolean(${js})`)); ) {
      if (Date.now() > until) throw new Error(`it never came true: ${js}`);
      await new Promise((done) => setTimeout(done, 50));
    }
    return null;
  },
  text: ({ role, name }) => page.getByRole(role, name ? { name } : {}).first().innerText({ timeout: 10_000 }),
  shot: ({ path }) => page.screenshot({ path }).then(() => null),
  media: (wanted) => page.emulateMedia(wanted).then(() => null),
  size: ({ width, height }) => page.setViewportSize({ width, height }).then(() => null),
  offline: ({ offline }) => context.setOffline(offline).then(() => null),
  console: () => console_,
  leave: () => page.close({ runBeforeUnload: true }).then(() => null),
};

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  let reply;
  try {
    reply = { ok: (await commands[command.do](command)) ?? null };
  } catch (error) {
    reply = { error: String(error), console: console_ };
  }
  process.stdout.write(JSON.stringify(reply) + "\n");
}
await browser.close();
