// Holds a WebAssembly module of the core to the scenarios of a folder:
//   node run.mjs core.wasm testdata
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

const [, , module, dir] = process.argv;
const code = new WebAssembly.Module(readFileSync(module));
const kinds = ["ok", "refused", "error", "too_large", "policy", "malformed", "unknown_op", "unknown_machine"];

function ask(guest, frame) {
  const at = guest.buffer(frame.length);
  new Uint8Array(guest.memory.buffer).set(frame, at);
  const packed = BigInt.asUintN(64, guest.handle(frame.length));
  const from = Number(packed >> 32n);
  return Buffer.from(guest.memory.buffer.slice(from, from + Number(packed & 0xffffffffn)));
}

function read(path) {
  const lines = {};
  for (const line of readFileSync(path, "utf8").trimEnd().split("\n")) {
    const cut = line.indexOf(":");
    lines[line.slice(0, cut)] = line.slice(cut + 2);
  }
  return lines;
}

let count = 0;
for (const verb of readdirSync(dir)) {
  for (const file of readdirSync(join(dir, verb))) {
    const s = read(join(dir, verb, file));
    if (!kinds.includes(s.expect.split(" ")[0])) throw new Error(`${verb}/${file}: unknown expectation ${s.expect}`);
    const guest = new WebAssembly.Instance(code).exports;
    guest._initialize();
    let reply = ask(guest, Buffer.from(s.configure, "hex"));
    if (s.request) reply = ask(guest, Buffer.from(s.request, "hex"));
    if (reply.toString("hex") !== s.reply) throw new Error(`${verb}/${file}: ${s.about}\n got ${reply.toString("hex")}\nwant ${s.reply}`);
    count++;
  }
}
console.log(`ok: ${count} scenarios`);
