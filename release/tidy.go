package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// A user is somebody who has the modules from a proxy alone.
type user struct {
	dir string // of its own go.mod
	env []string
}

// newUser packs the tree into a proxy of its own. What the machine has of others'
// modules is neither fetched nor unpacked again.
func newUser(all []*mod) (u *user, done func(), err error) {
	dir, err := os.MkdirTemp("", "sessions-release-")
	if err != nil {
		return nil, nil, err
	}
	cache := filepath.Join(dir, "cache")
	done = func() {
		clean := exec.Command("go", "clean", "-modcache") // its files are read-only; links are not followed
		clean.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=", "GOMODCACHE="+cache)
		_ = clean.Run()
		_ = os.RemoveAll(dir)
	}
	given, err := exec.Command("go", "env", "GOPROXY", "GOMODCACHE", "GOFLAGS").Output()
	if err != nil {
		done()
		return nil, nil, err
	}
	lines := strings.Split(string(given), "\n")
	upstream, shared, flags := lines[0], lines[1], lines[2]
	proxy := filepath.Join(dir, "proxy")
	if err := errors.Join(pack(all, proxy), linkOthers(shared, cache)); err != nil {
		done()
		return nil, nil, err
	}
	u = &user{dir: dir, env: os.Environ()}
	for name, value := range map[string]string{
		"GOWORK": "off", "GOFLAGS": strings.TrimSpace(flags + " -mod=mod"), "GOSUMDB": "off", "GOMODCACHE": cache,
		"GOPROXY": "file://" + filepath.ToSlash(proxy) + "," + upstream,
	} {
		u.env = append(u.env, name+"="+value)
	}
	return u, done, nil
}

// linkOthers makes a module cache where all modules but ours are links to those of
// a shared one.
func linkOthers(shared, cache string) error {
	host, rest, _ := strings.Cut(root, "/")
	owner, _, _ := strings.Cut(rest, "/")
	downloads := filepath.Join("cache", "download")
	for _, level := range []struct{ dir, own string }{
		{"", host}, {host, owner}, {downloads, host}, {filepath.Join(downloads, host), owner},
	} {
		if err := os.MkdirAll(filepath.Join(cache, level.dir), 0o755); err != nil {
			return err
		}
		found, err := os.ReadDir(filepath.Join(shared, level.dir))
		if err != nil && !os.IsNotExist(err) {
			return err
		}
		for _, one := range found {
			name := filepath.Join(level.dir, one.Name())
			if one.Name() == level.own || name == "cache" {
				continue
			}
			if err := os.Symlink(filepath.Join(shared, name), filepath.Join(cache, name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// run calls go in a directory.
func (u *user) run(dir string, args ...string) (string, error) { return u.runWith(dir, nil, args...) }

// runWith is run with more in the environment.
func (u *user) runWith(dir string, env []string, args ...string) (string, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir, cmd.Env = dir, slices.Concat(u.env, env)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%s: go %s: %w\n%s", dir, strings.Join(args, " "), err, out.String())
	}
	return out.String(), nil
}

// tidied is what go mod tidy makes of a module's go.mod and go.sum.
func (u *user) tidied(m *mod) (file, sum []byte, err error) {
	dir := filepath.Join(u.dir, "tidy", filepath.FromSlash(m.dir))
	files, err := m.files()
	if err != nil {
		return nil, nil, err
	}
	for _, f := range files {
		e := f.(entry)
		text, err := os.ReadFile(e.real)
		if err != nil {
			return nil, nil, err
		}
		if e.path == "go.sum" {
			text = others(text) // a release's sums are not those of the tree that has changed since
		}
		to := filepath.Join(dir, filepath.FromSlash(e.path))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return nil, nil, err
		}
		if err := os.WriteFile(to, text, 0o644); err != nil {
			return nil, nil, err
		}
	}
	if _, err := u.run(dir, "mod", "tidy"); err != nil {
		return nil, nil, err
	}
	if file, err = os.ReadFile(filepath.Join(dir, "go.mod")); err != nil {
		return nil, nil, err
	}
	sum, err = os.ReadFile(filepath.Join(dir, "go.sum"))
	if os.IsNotExist(err) {
		err = nil
	}
	return file, sum, err
}

// others leaves out the sums of our own modules: they change with each commit
// until a release, which adds them.
func others(sum []byte) []byte {
	var kept bytes.Buffer
	for line := range strings.Lines(string(sum)) {
		path, _, _ := strings.Cut(line, " ")
		if !isOwn(path) {
			kept.WriteString(line)
		}
	}
	return kept.Bytes()
}

func tidyAll(all []*mod) error {
	for i := range all {
		// What a module requires is packed as it has become by then.
		u, done, err := newUser(all)
		if err != nil {
			return err
		}
		file, sum, err := u.tidied(all[i])
		done()
		if err != nil {
			return err
		}
		if err := write(all[i], file, others(sum)); err != nil {
			return err
		}
	}
	return nil
}

func write(m *mod, file, sum []byte) error {
	if err := os.WriteFile(filepath.Join(m.dir, "go.mod"), file, 0o644); err != nil {
		return err
	}
	if len(sum) == 0 {
		return nil
	}
	return os.WriteFile(filepath.Join(m.dir, "go.sum"), sum, 0o644)
}
