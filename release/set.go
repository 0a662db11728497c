package main

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"

	"golang.org/x/mod/semver"
)

// set has all modules require each other at a version, with the sums of what is
// packed from the tree, and prints the commands that release it. The tree is then to be
// committed as it is: any other change would change the sums.
func set(all []*mod, v string) error {
	if v == "" || semver.Canonical(v) != v {
		return fmt.Errorf("version is %q; allowed: vMAJOR.MINOR.PATCH, as in: make release VERSION=v0.1.0", v)
	}
	if err := ready(v); err != nil {
		return err
	}
	if out, err := exec.Command("git", "status", "--porcelain").Output(); err != nil || len(out) > 0 {
		return fmt.Errorf("the tree has changes that are not committed, or git fails (%v): the sums would be of them, too\n%s", err, out)
	}
	for _, m := range all {
		for _, r := range slices.Clone(m.file.Require) {
			if isOwn(r.Mod.Path) {
				if err := m.file.AddRequire(r.Mod.Path, v); err != nil {
					return err
				}
			}
		}
		text, err := m.file.Format()
		if err != nil {
			return err
		}
		if err := write(m, text, nil); err != nil {
			return err
		}
	}
	if err := setWork(v); err != nil {
		return err
	}
	for _, m := range all { // after what it requires, whose go.mod and go.sum are in its sums
		u, done, err := newUser(all)
		if err != nil {
			return err
		}
		file, sum, err := u.tidied(m)
		done()
		if err != nil {
			return err
		}
		if err := write(m, file, sum); err != nil {
			return err
		}
	}
	fmt.Print(next(all, v))
	return nil
}

// next is what a maintainer does then. GitHub starts no workflow for a push of
// more than three tags, so the one that the release begins with is pushed alone,
// once the proxy can find the others.
func next(all []*mod, v string) string {
	var tags []string
	for _, m := range all {
		if !isForTests(m) && m.dir != "." {
			tags = append(tags, m.dir+"/"+v)
		}
	}
	list := strings.Join(tags, " ")
	return fmt.Sprintf("go run ./release check\ngit commit --all --message 'Release %[1]s'\nfor tag in %[1]s %[2]s; do git tag $tag; done\n"+
		"git push origin main %[2]s\ngit push origin %[1]s\n", v, list)
}
