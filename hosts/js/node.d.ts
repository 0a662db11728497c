import type { Global, RequestLike, ResponseLike } from "./web.js";

type Request = Global<"Request", RequestLike>;
type Response = Global<"Response", ResponseLike>;

export * from "./entry.js";

/**
 * Makes a listener of node:http, which Express takes, too, of what withSession
 * returns. The URLs of requests begin with origin, or else with the Host field and
 * whether the connection is TLS: give an origin behind a proxy that ends TLS. A request
 * without a host is answered with 400, and CONNECT, TRACE and TRACK with 501. The promise
 * never rejects. Set-Cookie and Vary that middleware has set before stay.
 */
export declare function toNode(
  handler: (request: Request) => Response | Promise<Response>,
  options?: { origin?: string },
): (req: object, res: object) => Promise<void>;
