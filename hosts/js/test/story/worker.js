import * as lib from "../../workerd.js";
import { application } from "./app.js";

let app;
export default {
  fetch(request, env) {
    app ??= application(lib, { key: env.KEY, url: env.STORE_URL, token: env.TOKEN, name: env.NAME });
    return app(request);
  },
};
