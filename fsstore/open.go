package fsstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// Open opens or creates a directory of sessions. It refuses a directory on a
// network filesystem, one that everybody may write, one that this process may
// not write, and a platform without flock (errors.ErrUnsupported).
func Open(o Options) (*Store, error) {
	if !supported {
		return nil, fmt.Errorf("fsstore: %s has no flock, without which processes lose each other's updates; use a database: %w",
			runtime.GOOS, errors.ErrUnsupported)
	}
	if o.Dir == "" {
		o.Dir = DefaultDir
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, fail("resolve Dir", o.Dir, err)
	}
	if err := makeDir(dir); err != nil {
		return nil, fail("create Dir", dir, err)
	}
	s := &Store{dir: dir, fast: o.Fast, reads: make(chan struct{}, maxReads), done: make(chan struct{})}
	for i := range s.gates {
		s.gates[i] = make(chan struct{}, 1)
	}
	if s.root, err = os.OpenRoot(dir); err != nil {
		return nil, fail("open Dir", dir, err)
	}
	if err := s.examine(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// makeDir is os.MkdirAll whose result survives a power failure.
func makeDir(dir string) error {
	highest := "" // of those that are missing
	for d := dir; ; d = filepath.Dir(d) {
		if _, err := os.Stat(d); !errors.Is(err, fs.ErrNotExist) {
			break
		}
		highest = d
	}
	if err := os.MkdirAll(dir, 0o700); err != nil || highest == "" {
		return err
	}
	for d := dir; ; d = filepath.Dir(d) {
		if err := syncDir(filepath.Dir(d)); err != nil || d == highest {
			return err
		}
	}
}

// syncDir passes over a directory that may be written but not read: it cannot be
// opened for a sync.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if errors.Is(err, fs.ErrPermission) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// examine refuses a directory in which the promises could not be kept.
func (s *Store) examine() error {
	var err error
	if s.self, err = s.root.Open("."); err != nil {
		return fail("open Dir", s.dir, err)
	}
	if s.info, err = s.self.Stat(); err != nil {
		return fail("stat Dir", s.dir, err)
	}
	if s.info.Mode()&0o002 != 0 {
		return fmt.Errorf("fsstore: Dir %s has mode %v: everybody may write it; chmod 0700, or name a directory beneath it", s.dir, s.info.Mode())
	}
	network, err := networkFilesystem(s.dir)
	if err != nil {
		return fail("statfs Dir", s.dir, err)
	}
	if network != "" {
		return refuseNetwork(s.dir, network)
	}
	locked, err := tryLock(s.self)
	if err != nil {
		return fail("lock Dir", s.dir, err)
	}
	if locked {
		unlock(s.self)
	}
	return s.probe()
}

func refuseNetwork(dir, network string) error {
	return fmt.Errorf("fsstore: Dir %s is on %s, where a lock or a rename does not hold between machines and updates would be lost; "+
		"use a local disk, or a database or Redis for several machines: %w", dir, network, errors.ErrUnsupported)
}

// probe finds out now, not at the first login, whether this process may write.
// A full disk passes: what is stored can still be read and deleted.
func (s *Store) probe() error {
	f, err := s.root.OpenFile(probeName, os.O_WRONLY|os.O_CREATE|openFlags, 0o600)
	if isFull(err) {
		return nil
	}
	if err != nil {
		return fail("write in Dir", s.dir, err)
	}
	// Another process that opens the store now may remove it first.
	if err := s.root.Remove(probeName); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fail("write in Dir", s.dir, errors.Join(err, f.Close()))
	}
	return f.Close()
}
