export * from "./entry.js";

/**
 * Makes a listener of node:http, which Express takes, too, of what withSession
 * returns. The URLs of requests begin with origin, or else with the Host field and
 * whether the connection is TLS: give an origin behind a proxy that ends TLS.
 */
export declare function toNode(
  handler: (request: Request) => Response | Promise<Response>,
  options?: { origin?: string },
): (req: object, res: object) => Promise<void>;
