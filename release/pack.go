package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

// pack writes a module proxy (go help goproxy) of all modules, at the version that
// they require of each other.
func pack(all []*mod, proxy string) error {
	v, err := version(all)
	if err != nil {
		return err
	}
	for _, m := range all {
		if err := packOne(m, v, proxy); err != nil {
			return err
		}
	}
	return nil
}

func packOne(m *mod, v, proxy string) error {
	escaped, err := module.EscapePath(m.path)
	if err != nil {
		return err
	}
	dir := filepath.Join(proxy, escaped, "@v")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(m.dir, "go.mod"))
	if err != nil {
		return err
	}
	info, err := json.Marshal(struct {
		Version string
		Time    time.Time
	}{v, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)})
	if err != nil {
		return err
	}
	for name, content := range map[string][]byte{"list": []byte(v + "\n"), v + ".info": info, v + ".mod": text} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return err
		}
	}
	out, err := os.Create(filepath.Join(dir, v+".zip"))
	if err != nil {
		return err
	}
	files, err := m.files()
	if err != nil {
		return err
	}
	if err := zip.Create(out, module.Version{Path: m.path, Version: v}, files); err != nil {
		return err
	}
	return out.Close()
}

// entry is a file of a module, relative to its directory.
type entry struct{ path, real string }

func (e entry) Path() string                 { return e.path }
func (e entry) Lstat() (os.FileInfo, error)  { return os.Lstat(e.real) }
func (e entry) Open() (io.ReadCloser, error) { return os.Open(e.real) }

// files are what git has or would add: those below the module's directory and in
// no module below it, and the licence.
func (m *mod) files() ([]zip.File, error) {
	out, err := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", m.dir).Output()
	if err != nil {
		return nil, fmt.Errorf("git ls-files: %w", err)
	}
	var files []zip.File
	for name := range strings.SplitSeq(strings.Trim(string(out), "\x00"), "\x00") {
		if owner(name) != m.dir {
			continue
		}
		if info, err := os.Lstat(name); err != nil || !info.Mode().IsRegular() {
			continue // deleted and not yet committed, or a link, which modules cannot have
		}
		path, err := filepath.Rel(m.dir, name)
		if err != nil {
			return nil, err
		}
		files = append(files, entry{filepath.ToSlash(path), name})
	}
	if m.dir != "." {
		files = append(files, entry{"LICENSE", "LICENSE"})
	}
	return files, nil
}

// owner is the directory of the module that a file is in: the nearest with a
// go.mod, in go.work or not.
func owner(name string) string {
	dir := filepath.Dir(name)
	for dir != "." {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		dir = filepath.Dir(dir)
	}
	return dir
}
