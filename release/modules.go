package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
)

// root is the path of the module at the top, and the prefix of all others.
const root = "github.com/rockstar-web/sessions"

// A mod is a module of the repository.
type mod struct {
	path, dir string // dir is relative to the top
	file      *modfile.File
}

// version is what the others require of it.
func (m *mod) requires() (own []string) {
	for _, r := range m.file.Require {
		if isOwn(r.Mod.Path) {
			own = append(own, r.Mod.Path)
		}
	}
	return own
}

func isOwn(path string) bool { return path == root || strings.HasPrefix(path, root+"/") }

// modules reads those of go.work, each after the ones that it requires.
func modules() ([]*mod, error) {
	text, err := os.ReadFile("go.work")
	if err != nil {
		return nil, fmt.Errorf("%w: call it at the top of the repository", err)
	}
	work, err := modfile.ParseWork("go.work", text, nil)
	if err != nil {
		return nil, err
	}
	var all []*mod
	for _, use := range work.Use {
		name := filepath.Join(use.Path, "go.mod")
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		file, err := modfile.Parse(name, text, nil)
		if err != nil {
			return nil, err
		}
		if len(file.Replace) > 0 {
			return nil, fmt.Errorf("%s has a replace: others would not see it; require what go.work finds", name)
		}
		all = append(all, &mod{file.Module.Mod.Path, filepath.Clean(use.Path), file})
	}
	return ordered(all)
}

func ordered(all []*mod) ([]*mod, error) {
	var list []*mod
	done := map[string]bool{}
	for len(list) < len(all) {
		before := len(list)
		for _, m := range all {
			if !done[m.path] && !slices.ContainsFunc(m.requires(), func(p string) bool { return !done[p] }) {
				done[m.path] = true
				list = append(list, m)
			}
		}
		if len(list) == before {
			return nil, fmt.Errorf("modules require each other in a circle, or one that go.work lacks")
		}
	}
	return list, nil
}

// version is the one of this repository's modules that the tree requires.
func version(all []*mod) (string, error) {
	found := ""
	for _, m := range all {
		for _, r := range m.file.Require {
			if !isOwn(r.Mod.Path) {
				continue
			}
			if found == "" {
				found = r.Mod.Version
			}
			if r.Mod.Version != found {
				return "", fmt.Errorf("%s requires %s at %s, others at %s: call release set", m.dir, r.Mod.Path, r.Mod.Version, found)
			}
		}
	}
	return found, nil
}

// setWork has go.work find the modules at a version that is not released yet.
func setWork(v string) error {
	text, err := os.ReadFile("go.work")
	if err != nil {
		return err
	}
	work, err := modfile.ParseWork("go.work", text, nil)
	if err != nil {
		return err
	}
	for _, r := range slices.Clone(work.Replace) {
		old, dir := r.Old, r.New.Path // which a drop empties
		if err := work.DropReplace(old.Path, old.Version); err != nil {
			return err
		}
		if err := work.AddReplace(old.Path, v, dir, ""); err != nil {
			return err
		}
	}
	work.Cleanup()
	return os.WriteFile("go.work", modfile.Format(work.Syntax), 0o644)
}
