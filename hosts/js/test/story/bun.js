import * as lib from "../../node.js";
import { application } from "./app.js";

const e = process.env;
const app = application(lib, { key: e.KEY, url: e.STORE_URL, token: e.TOKEN, name: e.NAME });
Bun.serve({ port: Number(e.PORT), hostname: "127.0.0.1", fetch: (request) => app(request) });
console.log("listening");
