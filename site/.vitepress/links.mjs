import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";

// Dead links of the built pages in a folder, as text. VitePress itself looks at
// those between pages alone: not at anchors, images and the sidebar.
export function deadLinks(dir, pages, base) {
  const html = new Map(pages.map((page) => [page, readFileSync(join(dir, page), "utf8")]));
  const ids = new Map([...html].map(([page, text]) => [page, new Set(attributes(text, "id"))]));
  const dead = [];
  for (const [page, text] of html) {
    for (const link of attributes(text, "href|src")) {
      const url = new URL(link, `http://site${base}${page}`);
      if (url.host !== "site") continue;
      const file = decodeURIComponent(url.pathname.slice(base.length)) || "index.html";
      const anchor = decodeURIComponent(url.hash.slice(1));
      const there = url.pathname.startsWith(base) && statSync(join(dir, file), { throwIfNoEntry: false })?.isFile();
      if (!there || (anchor && !ids.get(file)?.has(anchor))) dead.push(`${page} links to ${link}`);
    }
  }
  return dead;
}

const attributes = (html, name) => [...html.matchAll(new RegExp(`<[^<>]*\\s(?:${name})="([^"]+)"`, "g"))].map((m) => m[1]);
