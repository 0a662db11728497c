// Serves the application in Node: PORT, and what app.js wants, in the environment.
import { createServer } from "node:http";
import * as lib from "../../node.js";
import { application } from "./app.js";

const e = process.env;
const app = application(lib, { key: e.KEY, url: e.STORE_URL, token: e.TOKEN, name: e.NAME });
createServer(lib.toNode(app)).listen(e.PORT, "127.0.0.1", () => console.log("listening"));
