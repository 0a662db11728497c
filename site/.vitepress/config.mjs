import { copyFileSync, existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { slug } from "github-slugger";
import { defineConfig } from "vitepress";
import { deadLinks } from "./links.mjs";
import { paths, sidebar } from "./sidebar.mjs";

const root = join(import.meta.dirname, "../..");
const home = "site/index.md";
const repository = "https://" + /^module (.+)$/m.exec(readFileSync(join(root, "go.mod"), "utf8"))[1];

// The pages lie above node_modules, and so do not find what they are compiled to import.
const alias = Object.entries({
  vue: "vue/dist/vue.runtime.esm-bundler.js",
  "vue/server-renderer": "@vue/server-renderer/dist/server-renderer.esm-bundler.js",
}).map(([name, file]) => ({ find: new RegExp(`^${name}$`), replacement: fileURLToPath(import.meta.resolve(file)) }));

// A link to a file that is no page leads to the repository.
function toRepository(md) {
  md.core.ruler.push("repository", ({ tokens, env }) => {
    for (const link of tokens.flatMap((t) => t.children ?? []).filter((t) => t.type === "link_open")) {
      const href = link.attrGet("href").replace(/#.*/, "");
      if (!href || /^[a-z]+:|^\/|\.md$/.test(href)) continue;
      const file = join(dirname(env.path), href);
      if (!existsSync(file)) throw new Error(`${env.path} links to ${href}, which does not exist`);
      const kind = statSync(file).isDirectory() ? "tree" : "blob";
      link.attrSet("href", `${repository}/${kind}/main/${relative(root, file)}`);
    }
  });
}

// Tables and indented code scroll sideways where they are too wide, by the keyboard
// too. An empty cell heads nothing.
function accessible({ core, renderer: { rules } }) {
  core.ruler.push("heads", ({ tokens }) => {
    for (const [i, t] of tokens.entries()) {
      if (t.type === "th_open" && !tokens[i + 1].content) t.tag = tokens[i + 2].tag = "td";
    }
  });
  rules.table_open = () => '<div class="table" role="group" aria-label="table" tabindex="0"><table>\n';
  rules.table_close = () => "</table></div>\n";
  rules.code_block = (...args) => rules.fence(...args);
}

// Each page is in the sidebar and in llms.txt. That is served, with the Markdown that it links to.
function complete(pages, outDir) {
  const llms = readFileSync(join(root, "llms.txt"), "utf8");
  const listed = [...llms.matchAll(/\]\(([^)]+)\)/g)].map((m) => m[1]);
  for (const page of new Set([...pages, ...listed])) {
    if (!pages.includes(page)) throw new Error(`llms.txt links to ${page}, which is no page`);
    if (!paths.includes(page)) throw new Error(`${page} is missing in site/.vitepress/sidebar.mjs`);
    if (!listed.includes(page)) throw new Error(`${page} is missing in llms.txt`);
    copyFileSync(join(root, page), join(outDir, page));
  }
  copyFileSync(join(root, "llms.txt"), join(outDir, "llms.txt"));
}

function buildEnd({ pages, outDir, site }) {
  copyFileSync(join(root, "cmd/sessionctl/demo/static/icon.svg"), join(outDir, "icon.svg"));
  const own = pages.filter((page) => page !== home);
  complete(own, outDir);
  const dead = deadLinks(outDir, ["index.html", ...own.map((page) => page.replace(/md$/, "html"))], site.base);
  if (dead.length > 0) throw new Error(`dead links:\n${dead.join("\n")}`);
}

export default defineConfig({
  title: "Rockstar Sessions",
  description: "Server-side sessions for Go and JavaScript, with encrypted cookies and seven stores",
  head: [["link", { rel: "icon", type: "image/svg+xml", href: "/icon.svg" }]],
  srcDir: "..",
  outDir: "dist",
  srcExclude: ["**/node_modules/**", "**/readme-test-*/**"],
  rewrites: { [home]: "index.md" },
  buildEnd,
  markdown: {
    anchor: { slugify: slug }, // anchors as on GitHub
    theme: { light: "github-light-high-contrast", dark: "github-dark-high-contrast" },
    languages: [{ name: "hex", scopeName: "text.hex", patterns: [] }], // of the frames in wasm/README.md: no colours
    config: (md) => [toRepository, accessible].forEach((rule) => rule(md)),
  },
  vite: { resolve: { alias } },
  themeConfig: {
    nav: [
      { text: "Get started", link: "/docs/getting-started" },
      { text: "API", link: "/docs/api" },
      { text: "Security", link: "/docs/security" },
      { text: "Repository", link: repository },
    ],
    sidebar,
    outline: [2, 3],
    search: { provider: "local" },
    notFound: { title: "Page not found", quote: "It may have moved: look in the menu, or search.", linkText: "Home", linkLabel: "Home" },
  },
});
