import assert from "node:assert/strict";
import { test } from "node:test";
import { addressBytes } from "../src/address.js";
import { idBytes, idText } from "../node.js";
import { hex } from "./world.js";

test("addresses become their bytes", () => {
  for (const [text, want] of [
    ["192.0.2.7", "c0000207"], ["0.0.0.0", "00000000"], ["::ffff:192.0.2.7", "c0000207"], ["::ffff:c000:207", "c0000207"],
    ["::", "0".repeat(32)], ["::1", "0".repeat(31) + "1"], ["2001:db8::1", "20010db8" + "0".repeat(23) + "1"], ["[2001:db8::1]", "20010db8" + "0".repeat(23) + "1"],
    ["1:2:3:4:5:6:7:8", "00010002000300040005000600070008"], ["1:2:3:4:5:6:7::", "00010002000300040005000600070000"], ["fe80::1%eth0", "fe80" + "0".repeat(27) + "1"],
    ["64:ff9b::192.0.2.33", "0064ff9b" + "0".repeat(16) + "c0000221"],
  ]) assert.equal(hex(addressBytes(text)), want, text);
});

test("what is no address has no bytes", () => {
  for (const text of ["", "x", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1:2:3", ":::", "1::2::3", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "g::", "12345::", "::1.2.3", "1.2.3.4::",
    "1:2:3:4:5:6:7:1.2.3.4", null, undefined, 5, {}]) assert.equal(addressBytes(text).length, 0, String(text));
});

test("IDs are 22 characters and back", () => {
  for (let n = 0; n < 200; n++) {
    const id = crypto.getRandomValues(new Uint8Array(16));
    assert.equal(idText(id), Buffer.from(id).toString("base64url"));
    assert.deepEqual(idBytes(idText(id)), id);
  }
  for (const text of ["", "A".repeat(21), "A".repeat(23), "A".repeat(21) + "B", "A".repeat(21) + "=", "é".repeat(22)]) assert.throws(() => idBytes(text), RangeError);
});
