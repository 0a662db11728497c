package seglog

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/rockstar-web/sessions/fsstore/internal/place"
	"github.com/rockstar-web/sessions/hosts"
)

const (
	spareName  = "spare"
	zeroStep   = 256 << 10       // bytes that are written at once
	syncStep   = 1 << 20         // bytes that are synced at once, so that commits get their turn
	spareRetry = time.Second / 4 // after a preparation that has failed
)

// spare is the file that becomes the next segment: one that was compacted, or a
// new one, filled with zeros and synced in the background. A file that already
// has its bytes is synced two to three times as fast as one that grows, and needs
// no room on a full disk.
type spare struct {
	mu    sync.Mutex
	ready *segment
	busy  chan struct{} // closed when the preparation under way has ended
	err   error         // of the last preparation
	again time.Time     // not before
}

// prepare begins to make a spare of size bytes, least at the least, unless there
// is one, or one is being made, or it failed just now.
func (s *Store) prepare(size, least int64) {
	p := &s.spare
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.busy != nil || p.ready != nil && p.ready.size >= least || time.Now().Before(p.again) {
		return
	}
	old, busy := p.ready, make(chan struct{})
	p.ready, p.busy, p.err = nil, busy, nil
	s.background.Go(func() {
		if old != nil {
			old.file.Close() // too small; nothing is in it
		}
		g, err := s.makeSpare(size, least)
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.ready, p.err, p.busy = g, err, nil; err != nil {
			p.again = time.Now().Add(spareRetry)
		}
		close(busy)
	})
}

// recycle makes the spare of a segment that nothing points to, if one of its size
// is wanted. What is in it cannot be taken for records of another segment.
func (s *Store) recycle(g *segment) bool {
	p := &s.spare
	p.mu.Lock()
	wanted := g.size == s.maxSize && p.busy == nil && p.ready == nil
	busy := make(chan struct{})
	if wanted {
		p.busy = busy
	}
	p.mu.Unlock()
	if !wanted {
		return false
	}
	err := s.Root.Rename(segmentName(g.number), spareName)
	if err == nil {
		err = s.Self.Sync() // it must not be found under its old name with new bytes
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.busy = nil; err == nil {
		p.ready, p.err, p.again = &segment{file: g.file, info: g.info, size: g.size}, nil, time.Time{}
	}
	close(busy)
	return err == nil
}

// awaitSpare returns when a spare with least bytes is ready, or why there is none.
func (s *Store) awaitSpare(size, least int64) error {
	p := &s.spare
	for {
		s.prepare(size, least)
		p.mu.Lock()
		ready, busy, err := p.ready != nil && p.ready.size >= least, p.busy, p.err
		p.mu.Unlock()
		switch {
		case ready:
			return nil
		case busy == nil && err != nil:
			return err
		case busy != nil:
			<-busy
		}
	}
}

func (p *spare) isReady() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ready != nil
}

func (p *spare) isFull() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return errors.Is(p.err, hosts.ErrFull)
}

// take hands out the spare, nil if there is none. Until done is called its file
// has the name of a spare still, and no other may get that.
func (p *spare) take() (g *segment, done func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	busy := make(chan struct{})
	g, p.ready, p.busy = p.ready, nil, busy
	return g, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.busy = nil
		close(busy)
	}
}

// makeSpare makes do with less when the disk is nearly full.
func (s *Store) makeSpare(size, least int64) (*segment, error) {
	for {
		g, err := s.fillSpare(size)
		if err == nil {
			return g, nil
		}
		err = errors.Join(place.Fail("write", filepath.Join(s.Path, spareName), err), s.removeSpare())
		if size /= 2; !place.IsFull(err) || size < max(least, s.firstSize) {
			return nil, err
		}
	}
}

func (s *Store) fillSpare(size int64) (*segment, error) {
	if err := s.removeSpare(); err != nil {
		return nil, err
	}
	file, err := s.Root.OpenFile(spareName, os.O_RDWR|os.O_CREATE|os.O_EXCL|place.OpenFlags, 0o600)
	if err != nil {
		return nil, err
	}
	s.Give(file)
	zeros := make([]byte, min(zeroStep, size))
	for at := int64(0); at < size && err == nil; at += int64(len(zeros)) {
		if at > 0 && at%syncStep == 0 {
			err = place.SyncData(file)
		}
		if err == nil {
			_, err = file.WriteAt(zeros[:min(int64(len(zeros)), size-at)], at)
		}
		if s.stopping() {
			err = errors.Join(err, place.ErrClosed)
		}
	}
	if err == nil {
		err = file.Sync()
	}
	info, statErr := file.Stat()
	if err = errors.Join(err, statErr); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &segment{file: file, info: info, size: size}, nil
}

func (s *Store) removeSpare() error {
	if err := s.Root.Remove(spareName); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
