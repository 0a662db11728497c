// Holds a module of the core to scenarios, in any runtime that has WebAssembly.
// README.md describes their files.
const kinds = ["ok", "refused", "error", "too_large", "policy", "malformed", "unknown_op", "unknown_machine", "conflict"];
const names = ["about", "configure", "request", "expect", "reply"];

/**
 * Runs scenarios, pairs of a name and the text of its file, each in a fresh
 * instance of the module. Returns how many ran, and a text for each that differs.
 */
export function judge(module, scenarios) {
  let ran = 0;
  const differ = [];
  for (const [name, text] of scenarios) {
    try {
      const s = read(text), got = last(module, s);
      if (got !== s.reply) differ.push(`${name}: ${s.about}\n got ${got}\nwant ${s.reply}`);
      ran++;
    } catch (err) { // a line that is not understood, or a guest that traps
      differ.push(`${name}: ${err}`);
    }
  }
  return { ran, differ };
}

function read(text) {
  const s = {};
  for (const line of text.trimEnd().split("\n")) {
    const cut = line.indexOf(":"), name = line.slice(0, cut);
    if (/^(in|out)\./.test(name)) continue; // the frames say the same
    if (!names.includes(name) || name in s) throw new Error(`unknown or repeated line ${line}`);
    s[name] = line.slice(cut + 2);
  }
  for (const name of names) if (!(name in s)) throw new Error(`the line ${name} is missing`);
  if (!kinds.includes(s.expect.split(" ")[0])) throw new Error(`unknown expectation ${s.expect}`);
  return s;
}

function last(module, s) {
  const guest = new WebAssembly.Instance(module).exports;
  guest._initialize();
  const configured = ask(guest, s.configure);
  if (!s.request) return configured;
  if (!configured.startsWith("00")) throw new Error(`configuring is answered ${configured}`);
  return ask(guest, s.request);
}

function ask(guest, hex) {
  if (!/^([0-9a-f]{2})*$/.test(hex)) throw new Error("a frame is no hexadecimal");
  const frame = Uint8Array.from(hex.match(/../g) ?? [], (byte) => parseInt(byte, 16));
  const at = guest.buffer(frame.length) >>> 0;
  new Uint8Array(guest.memory.buffer).set(frame, at);
  const packed = BigInt.asUintN(64, guest.handle(frame.length));
  const reply = new Uint8Array(guest.memory.buffer, Number(packed >> 32n), Number(packed & 0xffffffffn));
  return Array.from(reply, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
