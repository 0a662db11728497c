// The pages of the site, in the order of the sidebar. A page has the path of its
// file in the repository.
const groups = {
  Start: {
    Overview: "README.md",
    "Getting started": "docs/getting-started.md",
    Frameworks: "docs/frameworks.md",
    "Choosing a store": "docs/stores.md",
    "Common set-ups": "docs/set-ups.md",
    Testing: "docs/testing.md",
    Examples: "examples/README.md",
    Comparison: "docs/comparison.md",
  },
  Guides: {
    "Moving from scs or gorilla": "docs/migration.md",
    "Sign-in": "docs/sign-in.md",
    "The devices page": "docs/devices.md",
    "Coming from Rockstar": "docs/guide.md",
    "Timeouts and open pages": "docs/timeouts.md",
    "Reads without a store call": "docs/freshness.md",
    "Write a store": "docs/write-a-store.md",
    "A host of your own": "wasm/README.md",
  },
  JavaScript: {
    "Node, Workers, Deno, Bun": "hosts/js/README.md",
    "Express, Hono, SvelteKit, Next": "hosts/js/recipes.md",
  },
  Operate: {
    "Before production": "docs/production.md",
    "Install and deploy": "docs/deploy.md",
    Keys: "docs/keys.md",
    Command: "docs/sessionctl.md",
    "Metrics, traces, alerts": "docs/operations.md",
    Gateway: "docs/gateway.md",
    Caddy: "caddy/README.md",
    "When something is wrong": "docs/troubleshooting.md",
  },
  Security: {
    "What is defended": "docs/security.md",
    "The cookie": "docs/cookies.md",
    Standards: "docs/standards.md",
    "Report a vulnerability": "SECURITY.md",
  },
  Reference: {
    Configuration: "docs/configuration.md",
    API: "docs/api.md",
    Conformance: "conformance/README.md",
    Vectors: "conformance/vectors/README.md",
    Measurements: "conformance/peers/RESULTS.md",
    "Design decisions": "RATIONALE.md",
    Changes: "CHANGELOG.md",
    Contributing: "CONTRIBUTING.md",
  },
  Adapters: {
    gin: "hosts/gin/README.md",
    "echo 5": "hosts/echo/README.md",
    "fiber 3": "hosts/fiber/README.md",
    scs: "hosts/migrate/scs/README.md",
    gorilla: "hosts/migrate/gorilla/README.md",
  },
};

export const paths = Object.values(groups).flatMap(Object.values);

export const sidebar = Object.entries(groups).map(([text, items]) => ({
  text,
  items: Object.entries(items).map(([text, path]) => ({ text, link: "/" + path.replace(/\.md$/, "") })),
}));
