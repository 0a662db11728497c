import { bound, only, shown } from "../only.js";
import { Reader, Writer, idText } from "../bytes.js";
import { readRecord, writeRecord } from "../frames.js";
import { checkRecord } from "../record.js";
import { SessionError } from "../errors.js";

const undone = /SQLITE_(READONLY|ERROR|CONSTRAINT|TOOBIG|AUTH|FULL)|no such table|maximum DB size/i;

function isTable(name, value) {
  if (value === undefined || typeof value === "string" && /^[A-Za-z_][A-Za-z0-9_]{0,62}$/.test(value)) return;
  throw new SessionError("config", `D1Store: ${name} is ${shown(value)}; allowed: a plain name of letters, digits and _`);
}

/**
 * Sessions in a table of Cloudflare D1. Each save is one statement that names
 * the version it replaces. Nothing is forgotten by itself: call sweep from a
 * scheduled handler. Read replication must be off, or loads would see old states.
 */
export class D1Store {
  #db;
  #table;

  constructor(database, options) {
    const { table = "sessions" } = only(options, { table: isTable }, "D1Store");
    this.#db = bound("D1Store", database, ["prepare"]);
    this.#table = table;
  }

  /** Makes the table where there is none. */
  async create() {
    await this.#db.batch([
      this.#db.prepare(`CREATE TABLE IF NOT EXISTS ${this.#table} (id TEXT PRIMARY KEY, version TEXT NOT NULL, expires INTEGER NOT NULL, record BLOB NOT NULL) WITHOUT ROWID`),
      this.#db.prepare(`CREATE INDEX IF NOT EXISTS ${this.#table}_expires ON ${this.#table} (expires)`),
    ]);
  }

  async load(id) {
    const row = await this.#db.prepare(`SELECT record FROM ${this.#table} WHERE id = ?`).bind(id).first();
    return row ? readRecord(new Reader(Uint8Array.from(row.record))) : null;
  }

  async save(record, prev) {
    checkRecord(record);
    const id = idText(record.id), version = String(record.version);
    const bytes = writeRecord(new Writer(record.sealed.length + 1024), record).done().slice().buffer;
    if (prev !== 0n) {
      const r = await this.#write(`UPDATE ${this.#table} SET version = ?2, expires = ?3, record = ?4 WHERE id = ?1 AND version IN (?2, ?5)`,
        id, version, record.expiresAt, bytes, String(prev));
      return r.meta.changes === 1;
    }
    const r = await this.#write(`INSERT INTO ${this.#table} (id, version, expires, record) VALUES (?1, ?2, ?3, ?4)
      ON CONFLICT (id) DO UPDATE SET version = excluded.version WHERE ${this.#table}.version = excluded.version`, id, version, record.expiresAt, bytes);
    return r.meta.changes === 1;
  }

  // One statement: an error of SQLite's, and not of its disk, has undone all of it.
  async #write(text, ...values) {
    try {
      return await this.#db.prepare(text).bind(...values).run();
    } catch (cause) {
      if (undone.test(String(cause?.message))) throw new SessionError("refused", `D1: ${cause.message}`, { cause });
      throw cause;
    }
  }

  async delete(id) { await this.#db.prepare(`DELETE FROM ${this.#table} WHERE id = ?`).bind(id).run(); }

  /** Deletes at most limit records that expired before the moment, and returns how many. */
  async sweep(before, limit = 500) {
    const r = await this.#db.prepare(`DELETE FROM ${this.#table} WHERE expires < ?1 AND id IN (SELECT id FROM ${this.#table} WHERE expires < ?1 LIMIT ?2)`).bind(before, limit).run();
    return r.meta.changes;
  }
}
