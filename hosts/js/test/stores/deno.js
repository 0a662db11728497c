import { DenoKvStore } from "../../src/index.js";
import { conformance } from "../../src/conformance.js";

const kv = await Deno.openKv(":memory:");
let n = 0;
console.log(JSON.stringify(await conformance(() => new DenoKvStore(kv, { prefix: `session${n++}`, retention: 60_000 }))));
kv.close();
