package seglog

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/rockstar-web/sessions/fsstore/internal/place"
)

const (
	zeroStep = 256 << 10 // bytes that are written at once
	syncStep = 1 << 20   // bytes that are synced at once, so that commits get their turn
)

// adoptSpares takes over the spares of the last process: on a full disk others
// would take their room. What is no such file is removed.
func (s *Store) adoptSpares() error {
	for i, name := range spareNames {
		info, err := s.Root.Lstat(name)
		if err != nil {
			continue // prepare will say so
		}
		if info.Mode().IsRegular() && info.Size() <= s.maxSize {
			if s.spares.ready[i] = s.openSpare(name); s.spares.ready[i] != nil {
				continue
			}
		}
		if err := s.Root.Remove(name); err != nil {
			return place.Fail("write in Dir", s.Path, err)
		}
	}
	return nil
}

// openSpare returns nil for what cannot be used.
func (s *Store) openSpare(name string) *segment {
	g, err := openSegment(s.Dir, name)
	if err != nil {
		return nil
	}
	if g.file.Sync() != nil {
		g.file.Close()
		return nil
	}
	return g
}

// growSpare makes g, or a new file, one of size bytes. It returns what there is
// of it also with an error: on a full disk each block that was got is kept.
func (s *Store) growSpare(name string, g *segment, size int64) (*segment, error) {
	path := filepath.Join(s.Path, name)
	if g == nil {
		file, err := s.newSpare(name)
		if err != nil {
			return nil, place.Fail("write", path, err)
		}
		g = &segment{file: file}
	}
	err := s.zero(g, size)
	info, failed := g.file.Stat()
	if failed != nil {
		return nil, place.Fail("write", path, errors.Join(err, failed, g.file.Close()))
	}
	if g.info = info; err != nil {
		return g, place.Fail("write", path, err)
	}
	return g, nil
}

func (s *Store) newSpare(name string) (*os.File, error) {
	const flags = os.O_RDWR | os.O_CREATE | os.O_EXCL | place.OpenFlags
	file, err := s.Root.OpenFile(name, flags, 0o600)
	if errors.Is(err, os.ErrExist) { // an earlier one could not be used
		if err = s.Root.Remove(name); err == nil {
			file, err = s.Root.OpenFile(name, flags, 0o600)
		}
	}
	if err == nil {
		s.Give(file)
	}
	return file, err
}

// zero writes zeros behind the end of g, which counts only what is synced.
func (s *Store) zero(g *segment, size int64) error {
	zeros := make([]byte, min(zeroStep, size))
	var err error
	at := g.size
	for at < size && err == nil {
		var n int
		n, err = g.file.WriteAt(zeros[:min(int64(len(zeros)), size-at)], at)
		before := at
		at += int64(n)
		if err == nil && before/syncStep != at/syncStep {
			err = place.SyncData(g.file)
		}
		if s.stopping() {
			err = errors.Join(err, place.ErrClosed)
		}
	}
	if failed := g.file.Sync(); failed != nil {
		return errors.Join(err, failed)
	}
	g.size = at
	return err
}
