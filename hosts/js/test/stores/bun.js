import { RedisStore } from "../../src/index.js";
import { conformance } from "../../src/conformance.js";

const client = new Bun.RedisClient(process.env.REDIS_URL);
let n = 0;
console.log(JSON.stringify(await conformance(() => new RedisStore(client, { prefix: `session${n++}:`, retention: 60_000 }))));
client.close();
