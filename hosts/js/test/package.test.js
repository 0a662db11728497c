// What npm would publish, as the tools of the field see it.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { alone, root, tarball } from "./fresh.mjs";

const meta = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

function runs(name, ...args) {
  const { status, stdout, stderr } = spawnSync(join(root, "node_modules", ".bin", name), args, { encoding: "utf8" });
  assert.equal(status, 0, stdout + stderr);
}

test("publint finds nothing", () => runs("publint", "run", tarball, "--strict"));

// node10 knows no "exports", and a CommonJS file must import() an ES module: the package is for neither.
test("attw finds nothing in what an ES module can import", () => runs("attw", tarball, "--profile", "esm-only"));

test("the package has its documents and no tests, and installs nothing else", (t) => {
  const at = join(alone(t), "node_modules", meta.name);
  for (const name of ["README.md", "LICENSE", "recipes.md", "core.wasm"]) assert.deepEqual(readFileSync(join(at, name)), readFileSync(join(root, name)), name);
  assert.ok(!existsSync(join(at, "test")));
  assert.equal(meta.dependencies, undefined);
  assert.deepEqual(readFileSync(join(at, "LICENSE")), readFileSync(join(root, "..", "..", "LICENSE")));
});

test("the metadata is what a registry wants for provenance", () => {
  assert.deepEqual([meta.repository.type, meta.repository.directory], ["git", "hosts/js"]);
  assert.match(meta.repository.url, /^git\+https:\/\/github\.com\/.+\.git$/);
  assert.equal(meta.license, "MIT");
  for (const field of ["description", "author", "homepage", "bugs", "keywords", "engines", "sideEffects"]) assert.ok(meta[field], field);
});

test("the lock names no registry, and the versions of package.json", () => {
  const text = readFileSync(join(root, "package-lock.json"), "utf8"), { packages } = JSON.parse(text);
  assert.doesNotMatch(text, /"resolved"/);
  assert.deepEqual(packages[""].devDependencies, meta.devDependencies);
  for (const [name, version] of Object.entries(meta.devDependencies)) assert.equal(packages[`node_modules/${name}`].version, version, name);
});
