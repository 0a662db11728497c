export { sessions } from "./sessions.js";
export { failure } from "./failure.js";
export { Session } from "./session.js";
export { SessionError, Refused, Unavailable, reasons } from "./errors.js";
export { Duration, ByteString, typed, encode, decode } from "./cbor.js";
export { MemoryStore } from "./stores/memory.js";
export { FetchStore } from "./stores/fetch.js";
export { checkRecord } from "./record.js";
export { idText, idBytes } from "./bytes.js";
