// Package place is the directory that a form of fsstore keeps its files in: made,
// examined, locked, and its errors put into words.
package place

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/rockstar-web/sessions/fsstore/owner"
	"github.com/rockstar-web/sessions/hosts"
)

// probeName is a file that exists for a moment at Open.
const probeName = "probe"

// Dir is an open directory.
type Dir struct {
	Path string   // absolute
	Root *os.Root // no path leaves it
	Self *os.File // for its lock, listing and sync
	info fs.FileInfo
}

// Open opens or creates a directory, with mode 0700. It refuses one on a
// network filesystem, one that everybody may write, one that this process may
// not write, and a platform without flock (errors.ErrUnsupported).
func Open(path string) (*Dir, error) {
	if !supported {
		return nil, fmt.Errorf("fsstore: %s has no flock, without which processes lose each other's updates; use a database: %w",
			runtime.GOOS, errors.ErrUnsupported)
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, Fail("resolve Dir", path, err)
	}
	err = owner.MkdirAll(absolute)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("fsstore: create Dir %s: %w: %w; it cannot be created there, name another directory", absolute, hosts.ErrUnavailable, err)
	}
	if err != nil {
		return nil, Fail("create Dir", absolute, err)
	}
	d := &Dir{Path: absolute}
	if d.Root, err = os.OpenRoot(absolute); err != nil {
		return nil, Fail("open Dir", absolute, err)
	}
	if err := d.examine(); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// Close frees the directory.
func (d *Dir) Close() error {
	var err error
	if d.Self != nil {
		err = d.Self.Close()
	}
	return errors.Join(err, d.Root.Close())
}

// examine refuses a directory in which the promises could not be kept.
func (d *Dir) examine() error {
	var err error
	if d.Self, err = d.Root.Open("."); err != nil {
		return Fail("open Dir", d.Path, err)
	}
	if d.info, err = d.Self.Stat(); err != nil {
		return Fail("stat Dir", d.Path, err)
	}
	if d.info.Mode()&0o002 != 0 {
		return fmt.Errorf("fsstore: Dir %s has mode %v: everybody may write it; chmod 0700, or name a directory beneath it", d.Path, d.info.Mode())
	}
	network, err := networkFilesystem(d.Path)
	if err != nil {
		return Fail("statfs Dir", d.Path, err)
	}
	if network != "" {
		return refuseNetwork(d.Path, network)
	}
	return d.probe()
}

func refuseNetwork(dir, network string) error {
	return fmt.Errorf("fsstore: Dir %s is on %s, where a lock or a rename does not hold between machines and updates would be lost; "+
		"use a local disk, or a database or Redis for several machines: %w", dir, network, errors.ErrUnsupported)
}

// probe finds out now, not at the first login, whether this process may write.
// A full disk passes: what is stored can still be read and deleted.
func (d *Dir) probe() error {
	f, err := d.Root.OpenFile(probeName, os.O_WRONLY|os.O_CREATE|OpenFlags, 0o600)
	if IsFull(err) {
		return nil
	}
	if err != nil {
		return Fail("write in Dir", d.Path, err)
	}
	// Another process that opens the store now may remove it first.
	if err := d.Root.Remove(probeName); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Fail("write in Dir", d.Path, errors.Join(err, f.Close()))
	}
	return f.Close()
}

// Give hands a file or folder, made just now in the directory by root, to the
// owner of the directory.
func (d *Dir) Give(made *os.File) { owner.Give(made, d.info) }

// Still refuses a directory that was removed, moved or unmounted while it was
// open: it would be written to for nobody.
func (d *Dir) Still() error {
	now, err := os.Stat(d.Path)
	if err != nil {
		return Fail("find", d.Path, err)
	}
	if !os.SameFile(now, d.info) {
		return Unavailable(d.Path, "was replaced by another directory; restart the program")
	}
	return nil
}
