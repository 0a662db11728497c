import { Reader, Writer } from "./bytes.js";
import { SessionError, errorOf } from "./errors.js";

/** Version of the frames that this package speaks. */
export const abiVersion = 3;

const maxKept = 1 << 16; // bytes of a frame's memory that are used again
const packed = new DataView(new ArrayBuffer(8));

/**
 * Guest is the core as WebAssembly, with one configured machine. Calls are
 * synchronous, so one instance serves every request of an isolate; one that
 * traps is dropped, and the next call makes another.
 */
export class Guest {
  #module;
  #setup;
  #exports = null;
  #memory = null; // as bytes, until it grows
  #writer = new Writer(); // that of the last call
  #number = 0;
  dropped = 0;

  /** @param setup the frame that configures a machine; it holds the keys */
  constructor(module, setup) {
    this.#module = module;
    this.#setup = setup;
  }

  /** Makes the instance if there is none, and returns what configuring told. */
  start() {
    const imports = WebAssembly.Module.imports(this.#module);
    if (imports.length > 0) throw new SessionError("guest", `the module imports ${imports.length} things; the core imports none`);
    const { exports } = new WebAssembly.Instance(this.#module);
    for (const name of ["memory", "abi_version", "buffer", "handle", "_initialize"]) {
      if (!(name in exports)) throw new SessionError("guest", `the module exports no ${name}: it is not the core`);
    }
    exports._initialize();
    const version = exports.abi_version() >>> 0;
    if (version !== abiVersion) {
      throw new SessionError("guest", `the module's ABI version is ${version}, this package speaks ${abiVersion}`);
    }
    this.#memory = new Uint8Array(exports.memory.buffer);
    const r = this.#call(this.#setup, exports);
    this.#number = r.u32();
    this.#exports = exports;
    return { warnings: r.list(), cookieName: r.short(), idleTimeout: r.time(), retention: r.time() };
  }

  /** Asks a verb: write appends the arguments, and asks nothing itself. Returns a Reader of the results. */
  ask(op, write) {
    if (!this.#exports) this.start();
    const w = this.#writer;
    w.n = 0;
    write(w.u8(op).u32(this.#number));
    if (w.b.length > maxKept) this.#writer = new Writer();
    return this.#call(w.done(), this.#exports);
  }

  #call(frame, e) {
    let r;
    try {
      const at = e.buffer(frame.length) >>> 0;
      if (at === 0) throw new SessionError("too_large", `a frame of ${frame.length} bytes is too large for the module`);
      this.#bytes(e).set(frame, at);
      packed.setBigInt64(0, e.handle(frame.length));
      const from = packed.getUint32(0);
      const bytes = this.#bytes(e);
      r = new Reader(bytes, from, Math.min(from + packed.getUint32(4), bytes.length)); // it stands until the next call
    } catch (cause) {
      if (cause instanceof SessionError) throw cause;
      this.#exports = null;
      this.dropped++;
      throw new SessionError("guest", "the module trapped; its instance was dropped", { cause });
    }
    try {
      const status = r.u8();
      if (status !== 0) throw errorOf(status, r);
    } catch (err) {
      throw err instanceof RangeError ? new SessionError("guest", "the module's reply is malformed", { cause: err }) : err;
    }
    return r;
  }

  // Memory that has grown is another buffer, and the former is empty.
  #bytes(e) {
    if (this.#memory.length === 0) this.#memory = new Uint8Array(e.memory.buffer);
    return this.#memory;
  }
}
