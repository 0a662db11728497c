// Serves the application in Node: PORT, and what app.js wants, in the environment.
import { createServer } from "node:http";
import * as lib from "../../node.js";
import { application } from "./app.js";

const e = process.env;
const app = application(lib, { key: e.KEY, url: e.STORE_URL, token: e.TOKEN, name: e.NAME });
createServer(async (req, res) => {
  const headers = new Headers();
  for (let i = 0; i < req.rawHeaders.length; i += 2) headers.append(req.rawHeaders[i], req.rawHeaders[i + 1]);
  const a = await app(new Request(`http://${req.headers.host}${req.url}`, { method: req.method, headers }));
  const out = Object.fromEntries([...a.headers].filter(([k]) => k !== "set-cookie"));
  out["set-cookie"] = a.headers.getSetCookie();
  res.writeHead(a.status, out);
  if (a.body) for await (const part of a.body) res.write(part);
  res.end();
}).listen(e.PORT, "127.0.0.1", () => console.log("listening"));
