// Fresh projects that have the package as npm packs it, and code from pages of its documents.
import { execFileSync, spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { answering, dir as scratch, freePort, track } from "./story/runtimes.mjs";

export const root = fileURLToPath(new URL("..", import.meta.url));
const quiet = ["--silent", "--no-audit", "--no-fund", "--offline"];
const npm = (args, cwd) => execFileSync("npm", [...args, ...quiet], { cwd, encoding: "utf8" }).trim();

/** The tarball that npm would publish. */
export const tarball = join(scratch, npm(["pack", "--pack-destination", scratch], root));

/** Makes a project outside of the repository: nothing but the package can be imported. */
export const alone = (t, files = {}) => project(t, mkdtempSync(join(tmpdir(), "fresh-")), files);

/** Makes a project below this folder, whose frameworks it finds. */
export const withFrameworks = (t, files) => project(t, mkdtempSync(join(root, "readme-test-")), files);

// One install serves all projects: they differ in their own files.
const installed = join(scratch, "installed");
write(installed, { "package.json": JSON.stringify({ name: "fresh", private: true, type: "module" }) });
npm(["install", "--no-package-lock", tarball], installed);

function write(at, files) {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(at, name)), { recursive: true });
    writeFileSync(join(at, name), text);
  }
}

function project(t, at, files) {
  t.after(() => rmSync(at, { recursive: true, force: true, maxRetries: 5 }));
  cpSync(installed, at, { recursive: true });
  write(at, files);
  return at;
}

/** Runs a server, with a free port in place of PORT in its arguments and environment, and returns its URL when it answers. */
export async function serve(t, cwd, command, args, env) {
  const port = String(await freePort()), filled = (text) => text.replace("PORT", port);
  const variables = Object.fromEntries(Object.entries(env).map(([name, text]) => [name, filled(text)]));
  const p = track(spawn(command, args.map(filled), { cwd, stdio: ["ignore", "ignore", "inherit"], env: { ...process.env, ...variables, PORT: port } }));
  t.after(() => new Promise((done) => p.exitCode === null && p.kill("SIGKILL") ? p.once("exit", done) : done()));
  return answering(command, `http://127.0.0.1:${port}`, p);
}

/** The blocks of code below a page's headings: { heading: [{ language, text }] }. */
export function snippets(page) {
  const sections = readFileSync(join(root, page), "utf8").split(/^## /m).slice(1);
  return Object.fromEntries(sections.map((s) => [
    s.slice(0, s.indexOf("\n")),
    [...s.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(([, language, text]) => ({ language, text })),
  ]));
}
