const none = new Uint8Array();

/**
 * Returns the 4 or 16 bytes of an IP address in text; none for anything else.
 * An IPv4 address written as IPv6 (::ffff:192.0.2.7) is its 4 bytes.
 */
export function addressBytes(text) {
  if (typeof text !== "string" || text === "") return none;
  const four = v4(text);
  if (four) return four;
  const bare = text.replace(/^\[|\]$/g, "").replace(/%.*$/, "");
  const halves = bare.split("::");
  if (halves.length > 2 || !bare.includes(":")) return none;
  const [head, tail] = halves.map((h, i) => h === "" ? [] : groups(h, i === halves.length - 1));
  if (!head || halves.length === 2 && !tail) return none;
  const all = halves.length === 1 ? head : [...head, ...Array(Math.max(16 - head.length - tail.length, 0)).fill(0), ...tail];
  if (all.length !== 16 || halves.length === 2 && head.length + tail.length > 14) return none;
  const bytes = Uint8Array.from(all);
  const mapped = bytes.subarray(0, 10).every((b) => b === 0) && bytes[10] === 0xff && bytes[11] === 0xff;
  return mapped ? bytes.slice(12) : bytes;
}

function v4(text) {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((p) => /^(0|[1-9]\d{0,2})$/.test(p) && Number(p) < 256)) return null;
  return Uint8Array.from(parts, Number);
}

// Only the end of the whole may be written as IPv4.
function groups(text, last) {
  const out = [];
  const parts = text.split(":");
  for (const [i, g] of parts.entries()) {
    const four = last && i === parts.length - 1 && g.includes(".") ? v4(g) : null;
    if (four) out.push(...four);
    else if (/^[0-9a-fA-F]{1,4}$/.test(g)) out.push(parseInt(g, 16) >> 8, parseInt(g, 16) & 0xff);
    else return null;
  }
  return out;
}
