"use strict";

const shownEvents = 40; // lines of the feed
const slowTime = 1500; // ms that the slow request works
const thinking = 500; // ms until the visitor signs out
const $ = (id) => document.getElementById(id);

// make builds an element: nothing is parsed as HTML.
function make(name, attributes, ...children) {
  const e = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
  e.append(...children);
  return e;
}

class NoAnswer extends Error {}

async function call(method, path, body) {
  const answer = await fetch(path, { method, body, headers: body ? { "Content-Type": "application/json" } : {} })
    .catch(() => { throw new NoAnswer("The server does not answer. Start it again, then press the button."); });
  return { status: answer.status, ...(await answer.json()) };
}

async function must(method, path, body) {
  const answer = await call(method, path, body);
  if (answer.error) throw new Error(answer.error);
  return answer;
}

// start begins a run of this tab alone, and returns its name.
async function start() {
  const { run } = await must("POST", "/api/prove/start");
  openFeed();
  return run;
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const together = (n, request) => Promise.all(Array.from({ length: n }, request));

function bar(label, count, of, good) {
  return make("div", { class: good ? "bar-row good" : "bar-row bad" },
    make("span", {}, label), make("progress", { max: of, value: count, "aria-label": label }), make("strong", {}, `${count} of ${of}`));
}

const proofs = {
  async adds(out) {
    const n = 50;
    const run = await start();
    const answers = await together(n, () => call("POST", `/api/prove/add?run=${run}`));
    const failed = answers.filter((a) => a.error).length;
    const counts = await must("GET", `/api/prove/counts?run=${run}`);
    out.replaceChildren(
      bar("This library", counts.session, n, counts.session === n),
      bar("Simply saved", counts.naive, n, counts.naive === n),
      make("p", {}, failed ? `${failed} requests failed.` : `All ${n} requests were answered with success, in both. The second store lost ${n - counts.naive}.`));
  },

  async logout(out) {
    await start();
    const { user } = await must("GET", "/api/prove/server");
    const began = performance.now();
    const steps = [];
    const mark = (who, what, state = "") => steps.push({ at: Math.round(performance.now() - began), who, what, state });
    mark("slow", "start");
    const read = nextStep((e) => e.kind.startsWith("slow request"), 1000);
    const slow = call("POST", `/api/slow?ms=${slowTime}&set=prove.late`);
    let early = false;
    slow.then(() => { early = !steps.some((s) => s.what === "signed out"); }, () => {});
    if (await read) mark("slow", "session read");
    await pause(thinking);
    mark("out", "sign-out sent");
    await must("POST", "/api/logout");
    mark("out", "signed out");
    const answer = await slow;
    mark("slow", answer.error ? `refused: ${answer.status}` : "stored", answer.error ? "good" : "bad");
    const stored = early ? "The slow request was done before the sign-out: this machine is busy. Send both again."
      : "The slow request was stored. This must not happen.";
    out.replaceChildren(lanes(steps), timeline(steps), make("blockquote", {}, answer.error ?? stored));
    $("again").textContent = user ? "Sign in again" : "Sign in";
    $("again").hidden = false;
    $("login").textContent = "no";
    document.querySelector(".who").replaceChildren(make("a", { class: "button", href: "/signin?next=%2Fprove" }, "Sign in"));
  },

  async once(out) {
    const run = await start();
    const flash = `prove.${run}.flash`, once = `prove.${run}.link`;
    const link = `/invitation/${crypto.getRandomValues(new Uint32Array(2)).join("-")}`;
    await must("PUT", `/api/data/${flash}`, JSON.stringify("Your order is on its way."));
    await must("PUT", `/api/data/${once}`, JSON.stringify(link));
    const rows = [];
    for (const [label, name] of [["Flash message", flash], ["One-time link", once]]) {
      const answers = await together(10, () => call("POST", `/api/take/${name}`));
      const got = answers.filter((a) => a.status === 200);
      const dots = answers.map((a) => make("span", { class: a.status === 200 ? "dot got" : "dot", "aria-hidden": "true" }, a.status === 200 ? "✓" : "–"));
      rows.push(make("div", {}, make("p", {}, make("strong", {}, label), ` was taken by ${got.length} of ${answers.length}: `,
        make("code", {}, got.map((a) => a.value).join(", ") || "nobody")), make("div", { class: "dots" }, ...dots)));
    }
    out.replaceChildren(...rows, make("p", {}, "The others got 404: there is no such value, or another request took it."));
  },
};

function timeline(steps) {
  const cell = (s, who) => make("td", { class: s.state }, s.who === who ? s.what : "");
  const head = ["ms", "Slow request", "Sign-out"].map((text) => make("th", { scope: "col" }, text));
  return make("table", { class: "timeline" }, make("caption", { class: "hidden" }, "Both requests"), make("thead", {}, make("tr", {}, ...head)),
    make("tbody", {}, ...steps.map((s) => make("tr", {}, make("th", { scope: "row" }, String(s.at)), cell(s, "slow"), cell(s, "out")))));
}

// lanes draws the table's rows as two bars over the same time.
function lanes(steps) {
  const svg = "http://www.w3.org/2000/svg", width = 600;
  const picture = document.createElementNS(svg, "svg");
  const draw = (name, attributes) => {
    const e = document.createElementNS(svg, name);
    for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
    picture.append(e);
  };
  for (const [key, value] of Object.entries({ viewBox: `0 0 ${width} 44`, class: "lanes", "aria-hidden": "true" })) picture.setAttribute(key, value);
  const scale = (width - 12) / Math.max(...steps.map((s) => s.at), 1);
  for (const [who, y] of [["slow", 2], ["out", 24]]) {
    const own = steps.filter((s) => s.who === who).map((s) => s.at * scale);
    draw("rect", { class: `lane ${who}`, x: own[0], y, width: Math.max(own.at(-1) - own[0], 6), height: 18, rx: 5 });
  }
  const end = steps.at(-1);
  draw("circle", { class: `end ${end.state}`, cx: width - 10, cy: 11, r: 9 });
  return picture;
}

let stream, interrupted = false, waiting = [];

// nextStep is the next event that fits, or null after a time.
function nextStep(fits, time) {
  return new Promise((done) => {
    const timer = setTimeout(() => { waiting = waiting.filter((w) => w !== one); done(null); }, time);
    const one = (e) => { if (fits(e)) { clearTimeout(timer); waiting = waiting.filter((w) => w !== one); done(e); } };
    waiting.push(one);
  });
}

function feedState(text) { $("feed-state").replaceChildren(make("small", {}, text)); }

function openFeed() {
  if (stream && stream.readyState !== EventSource.CLOSED) return;
  stream = new EventSource("/api/events");
  stream.onopen = () => {
    feedState("Live.");
    if (interrupted) watchServer();
    interrupted = false;
  };
  stream.onmessage = (message) => {
    const e = JSON.parse(message.data);
    const text = e.kind + (e.user ? ` (${e.user})` : "") + (e.reason ? `: ${e.reason}` : "");
    const last = $("feed").firstChild;
    if (last?.dataset.text === text) last.querySelector("span").textContent = ` × ${++last.dataset.times}`;
    else $("feed").prepend(make("li", { "data-text": text, "data-times": 1 },
      make("time", { datetime: e.at }, new Date(e.at).toISOString().slice(11, 23)), " ", make("strong", {}, text), make("span", {})));
    while ($("feed").children.length > shownEvents) $("feed").lastChild.remove();
    for (const one of [...waiting]) one(e);
    if (e.kind === "session ended") {
      stream.close();
      feedState("The session has ended, and its stream with it.");
    }
  };
  stream.onerror = () => {
    if (stream.readyState === EventSource.CLOSED) feedState("The stream was refused: there is no session, or two tabs show it already.");
    else { feedState("The stream is interrupted."); interrupted = true; watchServer(); }
  };
}

let down = false, watching = false;

// watchServer asks once a second while the server does not answer.
async function watchServer() {
  if (watching) return;
  watching = true;
  for (;;) {
    try {
      const now = await must("GET", "/api/prove/server");
      if (down || now.process !== $("process").textContent) showServer(now);
      break;
    } catch {
      down = true;
      $("kill-result").replaceChildren(make("p", { class: "trouble" }, "The server does not answer. Start it again."));
      await pause(1000);
    }
  }
  watching = false;
}

function showServer(now) {
  down = false;
  if (stream) openFeed();
  $("process").textContent = now.process;
  for (const out of document.querySelectorAll(".result[data-unanswered]")) clear(out);
  $("started").textContent = now.started;
  $("login").textContent = now.user ? `since ${now.login}, as ${now.user}` : "no";
  $("kill-result").replaceChildren(make("p", { class: "notice" }, now.user
    ? `The server is back, as process ${now.process}. You are still signed in since ${now.login}; the server started at ${now.started}.`
    : `The server is back, as process ${now.process}. It started at ${now.started}.`));
}

function clear(out) {
  out.replaceChildren();
  delete out.dataset.unanswered;
}

function showFailure(out, e) {
  const text = e instanceof NoAnswer ? e.message : `It failed: ${e.message}`;
  out.replaceChildren(make("p", { class: "trouble" }, text));
  if (e instanceof NoAnswer) {
    out.dataset.unanswered = "yes";
    watchServer();
  }
}

for (const button of document.querySelectorAll("[data-run]")) {
  button.disabled = false;
  button.addEventListener("click", async () => {
    const out = $(`${button.dataset.run}-result`);
    button.setAttribute("aria-disabled", "true");
    if (out.dataset.busy) return;
    out.dataset.busy = "1";
    clear(out);
    out.replaceChildren(make("p", {}, "Running …"));
    try {
      await proofs[button.dataset.run](out);
    } catch (e) {
      showFailure(out, e);
    }
    delete out.dataset.busy;
    button.removeAttribute("aria-disabled");
  });
}
if ($("proofs").dataset.session === "yes") openFeed();
