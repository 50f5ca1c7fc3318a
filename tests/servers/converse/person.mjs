// A person at Converse.js in a browser without a window, who goes once through what people do with a gateway.
//
//     person.mjs WEBSOCKET JID PASSWORD GATEWAY CONTACT CHROMIUM PROFILE PICTURES
//
// Everything is clicked and typed. Each step prints one line of JSON, an object with `step` and what was seen; the test
// that started this reads them, plays the other side, and judges. Pictures of the screen are kept in the last folder.

import { createReadStream } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const [websocket, jid, password, gateway, contact, executablePath, profile, pictures] = process.argv.slice(2);
const PATIENCE = 25_000;
const ANSWER = "hello browser";

const say = (step, seen = {}) => console.log(JSON.stringify({ step, ...seen }));

const dist = fileURLToPath(new URL("node_modules/converse.js/dist", import.meta.url));
const TYPES = { ".js": "text/javascript", ".css": "text/css", ".json": "application/json", ".wasm": "application/wasm" };

const page_text = `<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">
<link rel="icon" href="data:,"><link rel="stylesheet" href="/converse.min.css"></head>
<body class="converse-fullscreen"><div id="conversejs-bg"></div><script type="module">
import converse from "/converse.min.js";
converse.initialize(${JSON.stringify({
  assets_path: "/",
  authentication: "login",
  auto_login: true,
  jid,
  password,
  websocket_url: websocket,
  discover_connection_methods: false,
  view_mode: "fullscreen",
  i18n: "en",
  theme: "classic",
  persistent_store: "none",
  play_sounds: false,
  show_desktop_notifications: false,
  auto_away: 0,
})});</script></body></html>`;

// Converse.js as npm has it, and the page around it.
function serve() {
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url, "http://localhost").pathname);
    if (path === "/") {
      response.setHeader("Content-Type", "text/html");
      response.end(page_text);
      return;
    }
    const file = createReadStream(join(dist, path));
    file.on("open", () => response.setHeader("Content-Type", TYPES[extname(path)] ?? "application/octet-stream"));
    file.on("error", () => response.writeHead(404).end());
    file.pipe(response);
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

async function open(server) {
  const context = await chromium.launchPersistentContext(join(profile, "profile"), {
    executablePath,
    headless: true,
    viewport: { width: 1000, height: 800 },
    locale: "en-US",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  const [page] = context.pages();
  page.setDefaultTimeout(PATIENCE);
  page.on("pageerror", (error) => console.error("page:", error.message));
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  return [context, page];
}

const shot = (page, name) => page.screenshot({ path: join(pictures, `converse-${name}.png`) });

// Who has written something new stands there twice.
const in_roster = (page, address) =>
  page.locator("converse-roster-contact", { has: page.locator(`a.open-chat[data-jid="${address}"]`) }).last();

const chat_of = (page, address) => page.locator(`converse-chat[jid="${address}"]`);

const message = (page, address, text) => chat_of(page, address).locator("converse-chat-message", { hasText: text });

async function write(page, address, text) {
  const area = chat_of(page, address).locator("textarea.chat-textarea");
  await area.fill(text);
  await area.press("Enter");
}

async function add(page, address) {
  await page.locator("converse-roster converse-dropdown button").first().click();
  await page.locator("converse-roster a.add-contact").click();
  const form = page.locator("form.add-xmpp-contact");
  await form.locator('input[name="jid"]').fill(address);
  await form.locator('button[type="submit"]').click();
  await in_roster(page, address).waitFor();
}

// Converse.js 14 says yes and forgets to ask back, so that whoever asked is never shown as online.
async function accept(page, entry) {
  await entry.locator("converse-dropdown button").click();
  await entry.locator("a.accept-xmpp-request").click();
  const form = page.locator("converse-accept-contact-request-modal form");
  await form.locator('input[name="name"]').waitFor();
  await shot(page, "confirm");
  await form.locator('button[type="submit"]').click();
  await entry.locator("a.accept-xmpp-request").waitFor({ state: "detached" });
  await page.keyboard.press("Escape");
  await form.waitFor({ state: "hidden" });
}

async function add_number(page) {
  await add(page, contact);
  const entry = in_roster(page, contact);
  await entry.locator(".contact-name--online").waitFor();
  // The contact's own picture, not the letters that Converse.js draws where there is none.
  await entry.locator("converse-avatar image, converse-avatar img").waitFor();
  await shot(page, "contact");
  say("contact", { name: await entry.locator(".contact-name").innerText() });
}

async function text(page) {
  await write(page, contact, "hello from a browser");
  say("sent");
  await message(page, contact, "hello from a browser").locator(".chat-msg__receipt").waitFor();
  say("receipt");
  await message(page, contact, ANSWER).waitFor();
  await shot(page, "answer");
  say("answer", { chats: await page.locator("converse-chat").count() });
}

// The gateway itself: registration put it into the roster, or let it ask where the server changes none.
async function talk(page) {
  const entry = in_roster(page, gateway);
  await entry.waitFor();
  const asks = (await entry.locator("a.accept-xmpp-request").count()) > 0;
  if (asks) {
    await shot(page, "question");
    await accept(page, entry);
  } else {
    await entry.locator(".contact-name--online").waitFor();
  }
  await entry.locator("a.open-chat").click();
  await write(page, gateway, "help");
  const answer = message(page, gateway, "register");
  await answer.waitFor();
  await shot(page, "talk");
  say("talk", { asks, heard: await answer.locator("converse-chat-message-body").innerText() });
}

async function command(page) {
  await page.locator(".controlbox-heading__btn.show-profile, a.show-user-settings, .show-client-info").first().click();
  await page.locator("#commands-tab").click();
  const commands = page.locator("converse-adhoc-commands");
  await commands.locator('input[name="jid"]').fill(gateway);
  await commands.locator('input[type="submit"]').click();
  const entry = commands.locator('a[data-command-node="settings"]');
  await entry.waitFor();
  const names = await commands.locator("a[data-command-node]").allInnerTexts();
  await entry.click();
  const form = commands.locator("li", { has: page.locator('a[data-command-node="settings"]') }).locator("form");
  await form.locator("input[data-action]").first().waitFor();
  await form.scrollIntoViewIfNeeded();
  await shot(page, "form");
  const labels = await form.locator("label").allInnerTexts();
  await form.locator('select[name="language"]').selectOption("de");
  await form.locator("input[data-action]").last().click();
  await commands.locator(".alert").first().waitFor();
  await shot(page, "done");
  say("command", { names, labels, told: await commands.locator(".alert").allInnerTexts() });
  await page.keyboard.press("Escape");
}

async function picture(page) {
  await in_roster(page, contact).locator("a.open-chat").click();
  say("waiting for a picture");
  const image = chat_of(page, contact).locator("converse-chat-message img.chat-image, converse-chat-message .chat-image img").last();
  await image.waitFor();
  const size = await image.evaluate(async (element) => {
    await element.decode();
    return [element.naturalWidth, element.naturalHeight];
  });
  await shot(page, "picture");
  say("picture", { size });
}

const server = await serve();
const [context, page] = await open(server);
try {
  await page.locator("converse-roster").waitFor();
  say("logged in");
  await add_number(page);
  await text(page);
  await talk(page);
  await command(page);
  await picture(page);
} catch (error) {
  await shot(page, "failed").catch(() => {});
  throw error;
} finally {
  await context.close();
  server.close();
}
say("end");
