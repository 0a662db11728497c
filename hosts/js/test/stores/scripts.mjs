// Writes src/stores/redis-scripts.js from the Lua files of cachestore/redis:
//   node test/stores/scripts.mjs
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";

const read = (file) => readFileSync(new URL(`../../../../cachestore/redis/${file}`, import.meta.url), "utf8");
const script = (name, file) => {
  const text = read("index.lua") + read(file);
  if (/`|\$\{/.test(text)) throw new Error(`${file} has what a template of JavaScript does not take as it is`);
  return `export const ${name} = {\n  sum: "${createHash("sha1").update(text).digest("hex")}",\n  text: \`${text.replaceAll("\\", "\\\\")}\`,\n};\n`;
};
writeFileSync(new URL("../../src/stores/redis-scripts.js", import.meta.url),
  `// The scripts of the Go package cachestore/redis, as test/stores/scripts.mjs writes\n// them; a test holds them to its files. The server knows each by its SHA-1.\n\n${script("save", "save.lua")}\n${script("remove", "delete.lua")}\n${script("convert", "convert.lua")}`);
