import type { AbortSignalLike, Global, HeadersLike, RequestLike, ResponseLike, UrlLike } from "./web.js";

type Headers = Global<"Headers", HeadersLike>;
type Request = Global<"Request", RequestLike>;
type Response = Global<"Response", ResponseLike>;

/** core.wasm, compiled: a WebAssembly.Module, which not every set of types has. */
export type CompiledModule = object;

/** A session as a store keeps it. Its bytes are immutable once it is handed over. */
export interface SessionRecord {
  /** 16 bytes; idText writes them as the text that stores are asked for. */
  id: Uint8Array;
  /** Of this state, 63 bits and never 0; names it in the next save. */
  version: bigint;
  /** Unix milliseconds, as every moment here. */
  createdAt: number;
  seenAt: number;
  expiresAt: number;
  /** Text without control characters, at most 255 bytes. */
  tenant: string;
  user: string;
  /** Encrypted, at most 1 MiB + 16 KiB. */
  sealed: Uint8Array;
}

/**
 * A place for sessions. Every error it throws counts as "not known", never as
 * "no session"; conformance() holds a store to these promises.
 */
export interface Store {
  /** The record, also an expired one; null if there is none. It sees every save and delete that was acknowledged before. */
  load(id: string): Promise<SessionRecord | null>;
  /**
   * Atomic: with prev 0n it inserts, and the ID must be new; else it replaces
   * exactly the version prev. Otherwise it answers false and changes nothing.
   * It answers true when the stored version is record.version already.
   */
  save(record: SessionRecord, prev: bigint, options?: { touch?: boolean }): Promise<boolean>;
  /** Unconditional; a missing session is no error. */
  delete(id: string): Promise<void>;
  /**
   * Whether servers keep records of this store in a cache, asked after a delete: a
   * logout then waits 600 ms, until none of them shows the session signed in. A store
   * without it has no caches.
   */
  caching?(): Promise<boolean>;
}

/** 64 hexadecimal digits, or 32 bytes. */
export type Key = string | Uint8Array;

export interface RingKey {
  /** 64 hexadecimal digits, or 32 bytes. */
  key: Key;
  /** Seals from this moment on, until a later key does. */
  sealFrom?: number | Date;
  /** Opens cookies until this moment. */
  openUntil?: number | Date;
}

/** Durations in milliseconds. What is left out has the default of the core. */
export interface Policy {
  cookieName?: string;
  cookiePath?: string;
  cookieDomain?: string;
  sameSite?: "Lax" | "Strict" | "None" | "lax" | "strict" | "none";
  /** Cookies without Secure, for development over plain HTTP. */
  allowInsecure?: boolean;
  /** Cookies without HttpOnly. */
  allowScripts?: boolean;
  partitioned?: boolean;
  endWithBrowser?: boolean;
  bindUserAgent?: boolean;
  bindIPv4Bits?: number;
  bindIPv6Bits?: number;
  lifetime?: number;
  anonymousLifetime?: number;
  maxLifetime?: number;
  idleTimeout?: number;
  renewAfter?: number;
  renewGrace?: number;
  retention?: number;
  /** Bytes of all values of a session. */
  sessionSize?: number;
  warnSize?: number;
  formerScopes?: { path?: string; domain?: string }[];
  /** Secure on cookies of requests by HTTPS alone: see Options.https. */
  secureByRequest?: boolean;
  /** How concurrent changes of a name are joined. */
  merge?: { [name: string]: "counter" | "set" };
  /** Names of which only one of two concurrent changes is taken; the other fails as a conflict. */
  exclusive?: string[];
  /** Names, or all, whose later commit counts although it has read an older value. */
  lastWins?: string[] | true;
}

export interface SessionEvent {
  kind: "created" | "login" | "renewed" | "refreshed" | "ended" | "refused" | "conflict" | "failed";
  at: number;
  /** Why a session was refused or ended. */
  reason?: Reason;
  id?: string | null;
  tenant?: string;
  user?: string;
  /** Of "conflict": the names of values that were not stored. The request was refused, or signed in without them. */
  names?: string[];
  /** Of "failed": how often the store failed since the event before, at most one a minute. */
  count?: number;
  /** Of "failed": the last of these errors. */
  error?: Error;
}

/** What load was given, and what tenant, ip and https get: a Request, where that was one. Only then is there a url for certain. */
export interface LoadRequest {
  readonly method: string;
  readonly url?: string;
  readonly headers: HeadersLike;
}

/**
 * A function of a request may name the type of what the program passes to load or withSession, such as Request, in place
 * of LoadRequest.
 */
export interface Options {
  /** core.wasm, compiled. The entries for Node, Bun, Deno and workerd bring it: leave it out there. */
  module: CompiledModule;
  /** A key, or several to rotate. One that is undefined, as a variable that is not set, is refused when the program starts. */
  keys: Key | undefined | readonly (Key | RingKey | undefined)[];
  store: Store;
  policy?: Policy;
  /** The tenant of a request; the default is none. */
  tenant?(request: LoadRequest): string;
  /**
   * The client's address as text, without a port; bindIPv4Bits and bindIPv6Bits need it, and it is kept with the session.
   * "", null and undefined mean that there is none, which is bound to nothing; with these fields other text is refused.
   */
  ip?(request: LoadRequest): string | null | undefined;
  /** Whether a request came by HTTPS, for policy.secureByRequest; the default is its URL. */
  https?(request: LoadRequest): boolean;
  /** Milliseconds that loading or storing may take, 5000 by default. */
  commitTimeout?: number;
  onEvent?: (event: SessionEvent) => void;
  /**
   * Servers that share the store answer reads from a cache: the answer to a change then
   * sets a second cookie for two seconds, by which they ask the store. Default false.
   */
  changedCookie?: boolean;
  /**
   * Returns a stamp of what must not change under a session of a user, such as their password's hash and roles; an empty
   * one where there is no such user. Where it is another than login was given, the session has ended: the reason
   * credentials_changed, 401. It is asked for each request of a signed-in visitor, and again before a change is stored;
   * what it throws is a 503. At most 4096 bytes.
   */
  credentials?: (tenant: string, user: string) => string | Promise<string>;
  /** Milliseconds for which an answer of credentials may be used again, 0 by default: as long may an old session go on. */
  credentialsCache?: number;
  /** Unix milliseconds, Date.now by default. */
  clock?: () => number;
  /** Fills bytes with randomness, crypto.getRandomValues by default. */
  random?: (bytes: Uint8Array) => unknown;
}

/** What a session can keep. */
export type Value =
  | null | boolean | number | bigint | string | Uint8Array | ArrayBuffer | Date | Duration | ByteString
  | readonly Value[] | { readonly [name: string]: Value };

/** T where a session can keep it, of an interface too; functions, promises and symbols become never, which nothing is. */
export type Storable<T> =
  T extends Value ? T
  : T extends (...args: never) => unknown ? never
  : T extends object ? { [K in keyof T]: Storable<T[K]> }
  : never;

/** The values of a session whose names and types are not declared. */
export interface AnyData { [name: string]: any }

type Name<Data> = keyof Data & string;
// The type of a value: where Data declares none, T, which is that of the call.
type Of<Data, K extends Name<Data>, T> = string extends keyof Data ? T : Data[K];
type Counter<Data> = { [K in Name<Data>]-?: Data[K] extends number | bigint | undefined ? K : never }[Name<Data>];

/** Data says which values there are: Session<{ cart: Cart; visits: number }>. */
export declare class Session<Data extends object = AnyData> {
  private constructor();
  /** Why there is no stored session: the reason of the refusal, or null. */
  readonly reason: Reason | null;
  /** 22 characters, or null while nothing is stored. */
  readonly id: string | null;
  readonly user: string;
  readonly tenant: string;
  readonly state: "new" | "active" | "ended";
  readonly signedIn: boolean;
  /** When the user last proved who they are, by login or confirm; 0 if nobody is signed in. */
  readonly provenAt: number;
  /** How the user last proved who they are, in the order of the names. */
  readonly methods: string[];
  /** Whether the user has proved who they are in the last so many milliseconds. */
  provenWithin(ms: number): boolean;
  readonly createdAt: number;
  readonly seenAt: number;
  readonly expiresAt: number;
  readonly names: string[];
  has(name: Name<Data>): boolean;
  /**
   * A copy of a value; undefined if there is none. If you then set or delete the name, and another request has changed
   * the value in between, the commit throws a Conflict.
   */
  get<T = any, K extends Name<Data> = Name<Data>>(name: K): Of<Data, K, T> | undefined;
  set<T, K extends Name<Data> = Name<Data>>(name: K, value: Of<Data, K, T> & Storable<Of<Data, K, T>>): this;
  /**
   * Adds a whole number to a counter, 1 if it is left out, and returns the sum; a BigInt beyond 2^53. However many
   * requests add at once, all count.
   */
  add(name: Counter<Data>, n?: number | bigint): number | bigint;
  /**
   * Stores what fn returns for the value, which is undefined if there is none, and returns it. If another request has
   * changed the value by the time of the commit, fn runs again: it must only compute. If it throws, nothing is stored.
   */
  update<T = any, K extends Name<Data> = Name<Data>>(
    name: K, fn: (old: Of<Data, K, T> | undefined) => Of<Data, K, T> & Storable<Of<Data, K, T>>,
  ): Of<Data, K, T>;
  /** Removes a value and returns it. Of any number of requests at most one gets it. Stored at once, and alone. */
  take<T = any, K extends Name<Data> = Name<Data>>(name: K): Promise<Of<Data, K, T> | undefined>;
  delete(name: Name<Data>): this;
  clear(): this;
  /**
   * Logs a user in: the values stay, and the cookie gets a new secret. With a lifetime, in milliseconds, they stay logged
   * in that long. The stamp is what the option credentials returns for the row that the password was checked against;
   * the methods are how the user has proved who they are, such as "pwd" and "otp" (RFC 8176).
   */
  login(user: string, options?: { lifetime?: number; stamp?: string; methods?: readonly string[] }): this;
  /**
   * Gives the cookie a new secret, as after a change of privileges. With the stamp of credentials that the program has just
   * changed, such as a password, this visitor stays logged in, and their other sessions end.
   */
  renew(options?: { stamp?: string }): this;
  /** Notes that the user has just proved once more who they are, and how, in place of before; the cookie gets a new secret. */
  confirm(...methods: string[]): this;
  /** Moves the deadline to a whole lifetime from now. */
  refresh(): this;
  /** Logs the user out for good. Other sessions that the request has valid cookies of are logged out, too. */
  logout(): this;
  toJSON(): { id: string | null; user: string; tenant: string; state: string };
}

export interface Sessions<Data extends object = AnyData> {
  readonly cookieName: string;
  /** How many instances of the module were dropped after a trap. */
  readonly dropped: number;
  /**
   * The session of a request, a new one for a visitor without. It throws Unavailable. A quiet request notes no use of
   * it, renews nothing and sets no cookie; values that it changes are stored. The options tenant, ip and https get the
   * request as it is given here.
   */
  load<R extends LoadRequest>(request: R, options?: { quiet?: boolean }): Promise<Session<Data>>;
  /**
   * Answers how long the session lasts: a Status as JSON. GET and HEAD change nothing and set no cookie. POST is a use of
   * the session, and with refresh moves its deadline, too; from another origin it is refused with 403, but from those of
   * trustedOrigins, such as "https://app.example.com".
   */
  status(request: Request, options?: { refresh?: boolean; trustedOrigins?: readonly string[] }): Promise<Response>;
  /** Stores what the request did and returns the response with its cookie. */
  commit(session: Session<Data>, response: Response): Promise<Response>;
  /** Stores what the request did and returns the Set-Cookie fields. */
  store(session: Session<Data>): Promise<string[]>;
  /** Deletes a session by its ID. This and the verbs below check nothing: never give them an ID that a visitor has sent. */
  end(id: string): Promise<void>;
  /** Session.add of a stored session; returns the sum that was stored. */
  add(id: string, name: string, n?: number | bigint): Promise<number | bigint>;
  /** Session.update of a stored session; returns the value that was stored. */
  update<T = any>(id: string, name: string, fn: (old: T | undefined) => T & Storable<T>): Promise<T>;
  /** Session.take of a stored session. */
  take<T = any>(id: string, name: string): Promise<T | undefined>;
  /** Makes a fetch handler of one that takes the session, too: it loads the session before, and commits after. */
  withSession<Rest extends unknown[]>(
    handler: (request: Request, session: Session<Data>, ...rest: Rest) => Response | Promise<Response>,
    options?: { quiet?: boolean },
  ): (request: Request, ...rest: Rest) => Promise<Response>;
}

/** What Sessions.status answers. */
export interface Status {
  signed_in: boolean;
  /** Whole seconds until the session ends if nobody uses it, and whatever happens; 0 where nothing is stored. */
  idle_seconds: number;
  absolute_seconds: number;
  /** Why there is no session. */
  reason?: Reason;
}

export declare function sessions<Data extends object = AnyData>(options: Options): Sessions<Data>;

/** The response for an error of load or commit. It rethrows errors that are not about a session. */
export declare function failure(err: unknown): Response;

export type Reason =
  | "none" | "malformed" | "unknown_key" | "not_authentic" | "unknown_session" | "wrong_tenant" | "idle"
  | "expired" | "superseded" | "theft" | "ip_changed" | "user_agent_changed" | "ended" | "corrupt" | "ip_family" | "cross_site"
  | "credentials_changed" | "not_fresh" | "methods_missing";
export declare const reasons: Reason[];

export declare class SessionError extends Error {
  constructor(code: string, message: string, options?: { cause?: unknown });
  /** Stable, and safe to log. */
  readonly code: string;
}
export declare class Refused extends SessionError {
  constructor(reason: Reason, message: string, recent?: boolean);
  readonly reason: Reason;
  /** Of "superseded" and "credentials_changed": within the last minute, so that the browser may have a later cookie by now. */
  readonly recent: boolean;
}
/** Another request has changed a value since this one read it, or its name is exclusive: nothing was stored. */
export declare class Conflict extends SessionError {
  constructor(valueName: string);
  readonly code: "conflict";
  /** The name of the value. */
  readonly valueName: string;
}
export declare class Unavailable extends SessionError {
  constructor(message: string, cause?: unknown, code?: string);
}

/** A Go time.Duration. */
export declare class Duration {
  constructor(nanoseconds: bigint | number);
  readonly nanoseconds: bigint;
  readonly milliseconds: number;
}
/** A Go string that is not UTF-8. */
export declare class ByteString {
  constructor(bytes: Uint8Array);
  readonly bytes: Uint8Array;
}
/** Gives a list or object its Go type when it is written. */
export declare function typed<T extends object>(type: "[]string" | "[]int" | "map[string]string", value: T): T;
export declare function encode<T>(value: T & Storable<T>): Uint8Array;
export declare function decode(bytes: Uint8Array): any;
export declare function idText(id: Uint8Array): string;
export declare function idBytes(id: string): Uint8Array;
/** Refuses a record that no store may keep; stores call it first in save. */
export declare function checkRecord(record: SessionRecord): void;

/** Sessions in the memory of this isolate: for development and tests. */
export declare class MemoryStore implements Store {
  constructor(options?: { most?: number; clock?: () => number; retention?: number });
  load(id: string): Promise<SessionRecord | null>;
  save(record: SessionRecord, prev: bigint, options?: { touch?: boolean }): Promise<boolean>;
  delete(id: string): Promise<void>;
}

/** The sessions of a Go origin, through its nethttp.StoreHandler. */
export declare class FetchStore implements Store {
  constructor(options: {
    url: string | UrlLike;
    token: string;
    timeout?: number;
    fetch?: (url: string, init: { method: "POST"; body: Uint8Array<ArrayBuffer>; redirect: "manual"; signal: AbortSignalLike; headers: Record<string, string> }) => Promise<Response>;
  });
  load(id: string): Promise<SessionRecord | null>;
  save(record: SessionRecord, prev: bigint, options?: { touch?: boolean }): Promise<boolean>;
  delete(id: string): Promise<void>;
  caching(): Promise<boolean>;
}

/** The Durable Object that keeps one session; export it from the Worker and bind it. */
export declare class SessionObject {
  constructor(state: any, env?: unknown);
  fetch(request: Request): Promise<Response>;
  alarm(): Promise<void>;
}
/** One Durable Object for each session, in a namespace of SessionObject. */
export declare class DurableObjectStore implements Store {
  constructor(namespace: object, options?: { retention?: number });
  load(id: string): Promise<SessionRecord | null>;
  save(record: SessionRecord, prev: bigint, options?: { touch?: boolean }): Promise<boolean>;
  delete(id: string): Promise<void>;
}

/** A table of Cloudflare D1; `create` makes it, `sweep` deletes what is over. */
export declare class D1Store implements Store {
  constructor(database: object, options?: { table?: string });
  create(): Promise<void>;
  load(id: string): Promise<SessionRecord | null>;
  save(record: SessionRecord, prev: bigint, options?: { touch?: boolean }): Promise<boolean>;
  delete(id: string): Promise<void>;
  /** Deletes at most limit records that expired before the moment, and returns how many. */
  sweep(before: number, limit?: number): Promise<number>;
}

/** Deno KV: what Deno.openKv() returns. */
export declare class DenoKvStore implements Store {
  /** Bytes of the largest sealed that fits. */
  readonly maxSealed: number;
  constructor(kv: object, options?: { prefix?: string; retention?: number });
  load(id: string): Promise<SessionRecord | null>;
  save(record: SessionRecord, prev: bigint, options?: { touch?: boolean }): Promise<boolean>;
  delete(id: string): Promise<void>;
}

/** What RedisStore asks of a client; Bun.RedisClient is one. */
export interface RedisCommands {
  /** Sends a command, and throws what the server answers as an error, with its text. */
  send(command: string, args: any[]): Promise<any>;
  /** The bytes of a string, or null. */
  getBuffer(key: string): Promise<Uint8Array | null>;
}
/** Redis or Valkey, with the keys, values and scripts of the Go package cachestore/redis. */
export declare class RedisStore implements Store {
  constructor(client: RedisCommands, options?: { prefix?: string; retention?: number });
  load(id: string): Promise<SessionRecord | null>;
  save(record: SessionRecord, prev: bigint, options?: { touch?: boolean }): Promise<boolean>;
  delete(id: string): Promise<void>;
  caching(): Promise<boolean>;
}
