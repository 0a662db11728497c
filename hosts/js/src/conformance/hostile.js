import { encodeText, idBytes } from "../bytes.js";

/** Valid tenants and users, all different. */
export const hostileNames = [
  "", " ", "alice", "Alice", "ALICE", "alice ", " alice", "älice", "a\u0308lice", "alıce",
  "../x", "..", ".", "/", "a/b", "a\\b", "C:", "~", "%", "_", "a%", "a_", "*", "?", "[a]", "{a}", "a:b", "a,b", "a|b",
  "'", "\"", "`", "'; DROP TABLE sessions;--", ";--", "\\'", "${x}", "{{x}}", "%s%n", "%00", "NULL", "null", "0", "00", "-1", "1e3", "true",
  "__proto__", "\u202ealice", "\u0645\u0631\u062d\u0628\u0627", "日本語", "🦀", "👩‍👩‍👧", "ß", "ss", "İ", "\u200b", "\ufeff", "\ufffd", "\u{10ffff}", "\u00a0",
  "x".repeat(255), "x".repeat(254), "é".repeat(127), "日".repeat(85), "🦀".repeat(63), "%".repeat(255), "'".repeat(255),
];

/** IDs, all different: extremes, neighbours of one bit, and texts that could be taken for something else. */
export function hostileIDs() {
  const ids = [
    "_____________________w", "---------------------Q", "-rf__________________g", "AAAAAAAAAAAAAAAAAAAAAQ", "aaaaaaaaaaaaaaaaaaaaaQ",
    "AaAaAaAaAaAaAaAaAaAaAA", "aAaAaAaAaAaAaAaAaAaAaA", "NULLNULLNULLNULLNULLNA", "000000000000000000000A", "1e31e31e31e31e31e31e3A", "CONCONCONCONCONCONCONw",
  ].map(idBytes);
  for (const letters of ["abcdefghijklmnop", "ABCDEFGHIJKLMNOP"]) ids.push(encodeText(letters));
  const base = Uint8Array.of(0x80, 0x27, 0x5c, 0, 0x25, 0x5f, 10, 0xff, 0xc3, 0x28, 0x2f, 0x2e, 0x2e, 0x2f, 0, 0);
  ids.push(base);
  for (let bit = 0; bit < 128; bit++) ids.push(base.map((b, i) => i === bit >> 3 ? b ^ 1 << (bit & 7) : b));
  ids.push(new Uint8Array(16).fill(1, 0, 1));
  return ids;
}

/** What spoils a valid record, with the code of the refusal. */
export const outOfBounds = {
  "no ID": [{ id: new Uint8Array(16) }, "bad_id"],
  "no version": [{ version: 0n }, "bad_record"],
  "a version of 64 bits": [{ version: 1n << 63n | 5n }, "bad_record"],
  "a tenant of 256 bytes": [{ tenant: "x".repeat(256) }, "bad_name"],
  "a user of 256 bytes": [{ user: "x".repeat(256) }, "bad_name"],
  "a user of 256 bytes in 128 characters": [{ user: "é".repeat(128) }, "bad_name"],
  "a NUL in the tenant": [{ tenant: "a\0b" }, "bad_name"],
  "a NUL at the user's end": [{ user: "alice\0" }, "bad_name"],
  "a line break in the user": [{ user: "alice\n" }, "bad_name"],
  "a C1 control in the user": [{ user: "al\u0085ice" }, "bad_name"],
  "a tenant of half a character": [{ tenant: "\ud800" }, "bad_name"],
  "more than the most sealed": [{ sealed: new Uint8Array((1 << 20) + (16 << 10) + 1) }, "too_large"],
};
