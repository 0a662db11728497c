import * as lib from "../../deno.js";
import { application } from "./app.js";

const e = (name) => Deno.env.get(name);
const app = application(lib, { key: e("KEY"), url: e("STORE_URL"), token: e("TOKEN"), name: e("NAME") });
Deno.serve({ port: Number(e("PORT")), hostname: "127.0.0.1", onListen: () => console.log("listening") }, app);
