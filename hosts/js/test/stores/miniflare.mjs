import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { files } from "../story/runtimes.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Runs worker.js in workerd, with a namespace of Durable Objects and a database of D1 by miniflare. */
export async function inMiniflare(path) {
  const { Miniflare } = await import("miniflare");
  const worker = join(root, "test", "stores", "worker.js");
  const mf = new Miniflare({
    modulesRoot: root, modules: [worker, ...files(join(root, "src"))].map((p) => ({ type: "ESModule", path: p })),
    compatibilityDate: "2026-01-01", durableObjects: { OBJECTS: { className: "SessionObject", useSQLite: true } }, d1Databases: ["DB"],
    host: "127.0.0.1", port: 0, telemetry: { enabled: false }, cf: false,
  });
  try {
    return await (await mf.dispatchFetch("http://127.0.0.1" + path)).json();
  } finally {
    await mf.dispose();
  }
}
