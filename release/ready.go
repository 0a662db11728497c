package main

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
)

const chart = "deploy/helm/sessions-gateway/Chart.yaml"

// needed are lines that the tree must have before a version is released. VERSION
// is its number, without the v.
var needed = []struct{ file, pattern, what string }{
	{"SECURITY.md", `(?m)^Contact: <(mailto:|https://)[^>]+>$`, "who gets security reports, in the form \"Contact: <mailto:name@example.org>\""},
	{"CHANGELOG.md", `(?m)^## vVERSION, \d{4}-\d\d-\d\d$`, "the day of the release, in the form \"## vVERSION, 2026-12-31\""},
	{"hosts/js/package.json", `(?m)^  "version": "VERSION",$`, "the npm package's version VERSION (npm version --no-git-tag-version VERSION)"},
	{"hosts/js/package-lock.json", `(?m)^  "version": "VERSION",$`, "the npm package's version VERSION (npm version --no-git-tag-version VERSION)"},
	{"docs/deploy.md", `sessionctl:VERSION `, "the image's version VERSION"},
	{"docs/deploy.md", `--version VERSION `, "the chart's version VERSION"},
	{"docs/deploy.md", `sessionctl_VERSION_linux`, "the archive's version VERSION"},
	{chart, `(?m)^version: VERSION$`, "the chart's version: VERSION"},
	{chart, `(?m)^appVersion: VERSION$`, "the image's version, appVersion: VERSION"},
}

// stale are files that say, before the first release, that there is none.
var (
	stale     = []string{"README.md", "hosts/js/README.md", "docs/getting-started.md", "docs/deploy.md", "docs/sessionctl.md", "docs/comparison.md", "llms.txt"}
	noneSoFar = regexp.MustCompile(`(?i)nothing is released yet|before the first release|has no release yet`)
)

// ready refuses a version that a maintainer has not prepared, and names all that
// is missing.
func ready(v string) error {
	number := strings.TrimPrefix(v, "v")
	var missing []error
	for _, n := range needed {
		text, err := os.ReadFile(n.file)
		if err != nil {
			return err
		}
		if !regexp.MustCompile(strings.ReplaceAll(n.pattern, "VERSION", regexp.QuoteMeta(number))).Match(text) {
			missing = append(missing, fmt.Errorf("%s lacks %s", n.file, strings.ReplaceAll(n.what, "VERSION", number)))
		}
	}
	for _, name := range stale {
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if found := noneSoFar.Find(text); found != nil {
			missing = append(missing, fmt.Errorf("%s still says %q: delete what is no longer true", name, found))
		}
	}
	return errors.Join(missing...)
}

// notes is what CHANGELOG.md says of a version, without its heading.
func notes(v string) (string, error) {
	text, err := os.ReadFile("CHANGELOG.md")
	if err != nil {
		return "", err
	}
	for section := range strings.SplitSeq(string(text), "\n## ") {
		heading, body, _ := strings.Cut(section, "\n")
		if version, _, _ := strings.Cut(heading, ","); version == v {
			return strings.TrimSpace(body) + "\n", nil
		}
	}
	return "", fmt.Errorf("CHANGELOG.md has no heading \"## %s, ...\"", v)
}
