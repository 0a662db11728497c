"use strict";
const $ = (id) => document.getElementById(id);
const make = (tag, text, more = {}) => Object.assign(document.createElement(tag), { textContent: text, ...more });
const sum = (all, name) => all.reduce((n, c) => n + (c ? c[name] : 0), 0);
const at = () => $("at").value;

async function ask(method, path) {
  const answer = await fetch(path, { method });
  if (!answer.ok) throw new Error((await answer.text()).trim());
  return answer.json();
}

// The cards of the servers, which are filled again and again.
const cards = [1, 2, 3].map((n) => {
  const card = $("server").content.cloneNode(true).firstElementChild;
  card.querySelector(".name").textContent = `Server ${n}`;
  $("servers").append(card);
  return card;
});

function fill(card, counts) {
  card.classList.toggle("up", counts !== null);
  card.classList.toggle("down", counts === null);
  card.querySelector(".badge").textContent = counts ? "answers" : "does not answer";
  if (!counts) return;
  for (const dd of card.querySelectorAll("[data-of]")) {
    const value = counts[dd.dataset.of];
    dd.textContent = dd.dataset.of !== "age" ? value : value < 0 ? "not used yet" : value > 999 ? "at rest" : `${value} ms`;
  }
}

async function refresh() {
  const all = await ask("GET", "/counts").catch(() => [null, null, null]);
  all.forEach((counts, i) => fill(cards[i], counts));
  return all;
}

(async () => {
  for (;;) {
    await refresh();
    await new Promise((go) => setTimeout(go, 300));
  }
})();

function show(state) {
  $("who").textContent = state.user
    ? `Signed in as ${state.user}. Clicks: ${state.clicks}. Answered by server ${state.server}.`
    : `Not signed in. Answered by server ${state.server}.`;
}

// button runs one deed at a time, and says what came out.
function button(id, deed) {
  $(id).addEventListener("click", async (event) => {
    const pressed = event.currentTarget;
    if (pressed.ariaDisabled === "true") return;
    pressed.ariaDisabled = "true";
    try {
      $("result").replaceChildren(...[await deed()].flat());
    } catch (err) {
      $("result").replaceChildren(make("p", `This failed: ${err.message}`, { className: "bad" }));
    } finally {
      pressed.ariaDisabled = "false";
    }
  });
}

button("login", async () => {
  const state = await ask("POST", `/${at()}/login`);
  show(state);
  return make("p", `Server ${state.server} has signed alice in.`);
});

button("add", async () => {
  const state = await ask("POST", `/${at()}/add`);
  show(state);
  return make("p", `Server ${state.server} has added 1: ${state.clicks}.`);
});

button("read", async () => {
  const before = await refresh();
  const start = performance.now();
  let next = 0, failed = 0, last;
  const reader = async () => {
    while (next < 100) {
      const n = (next++ % 3) + 1;
      try {
        last = await ask("GET", `/${n}/who`);
      } catch {
        failed++;
      }
    }
  };
  await Promise.all([reader(), reader(), reader(), reader()]);
  const took = Math.round(performance.now() - start);
  const after = await refresh();
  if (last) show(last);
  const cached = sum(after, "cached") - sum(before, "cached");
  const loads = sum(after, "loads") - sum(before, "loads");
  const lines = [make("p", `100 reads in ${took} ms: ${cached} from the cache, ${loads} asked the store${failed ? `, ${failed} failed` : ""}.`)];
  if (loads > 10) lines.push(make("p", "For two seconds after a change your own reads ask the store, so that you see what you did. Try once more.", { className: "soft" }));
  return lines;
});

button("logout", async () => {
  const server = at() === "any" ? "" : at();
  $("result").replaceChildren(make("p", "Signing out. A copy of the cookie is read on all servers meanwhile …"));
  const out = await ask("POST", `/signout?server=${server}`);
  show(await ask("GET", "/any/who"));
  const table = make("table", "");
  const head = table.createTHead().insertRow();
  for (const [text, className] of [["Server", ""], ["Let in until", ""], ["", "wide"], ["Reads afterwards", ""], ["Let in", ""]]) {
    head.append(text ? make("th", text, { className, scope: "col" }) : make("td", "", { className }));
  }
  const body = table.createTBody();
  for (const s of out.servers) {
    const row = body.insertRow();
    row.append(make("th", s.server, { scope: "row" }), make("td", `${s.last} ms`));
    const bar = make("td", "", { className: "wide" });
    bar.append(make("progress", "", { max: out.acknowledged, value: s.last, ariaLabel: `Server ${s.server}: ${s.last} of ${out.acknowledged} ms` }));
    row.append(bar, make("td", s.after), make("td", s.late, { className: s.late ? "bad" : "good" }));
  }
  return [
    make("p", `The sign-out was acknowledged after ${out.acknowledged} ms. A copy of the cookie was read on all servers meanwhile. The table has the last moment at which each of them let it in, and the reads that began after the acknowledgement.`),
    table,
    make("p", "A refusal always asks the store: that is why the loads have grown.", { className: "soft" }),
  ];
});

button("stop", async () => {
  await ask("POST", "/stop");
  return make("p", "Server 2 stands still for two seconds. Sign out now: its cache is too old to be believed when it goes on.");
});

button("kill", async () => {
  await ask("POST", "/kill");
  return make("p", "Server 3 was killed. A new one runs in its place, with an empty cache.");
});

ask("GET", "/any/who").then(show, () => {});
