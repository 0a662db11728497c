package seglog

import (
	"errors"
	"sync"
	"time"

	"github.com/rockstar-web/sessions/hosts"
)

const (
	maxSpares  = 2
	spareRetry = time.Second / 4 // after a preparation that has failed
)

var spareNames = [maxSpares]string{"spare", "spare2"}

// spares are the files that become the next segments: those that were compacted,
// or new ones, filled with zeros and synced in the background. A file that
// already has its bytes is synced two to three times as fast as one that grows,
// and needs no room on a full disk.
type spares struct {
	mu      sync.Mutex
	changed *sync.Cond          // of what follows
	ready   [maxSpares]*segment // by their names
	used    [maxSpares]bool     // nobody else may touch the file of this name now
	err     error               // of the last preparation
	again   time.Time           // not before
}

func newSpares() *spares {
	p := new(spares)
	p.changed = sync.NewCond(&p.mu)
	return p
}

// bytes is what all have. The caller holds the lock, as with the next two.
func (p *spares) bytes() (n int64) {
	for _, g := range p.ready {
		if g != nil {
			n += g.size
		}
	}
	return n
}

// best returns the smallest that has least bytes, or -1.
func (p *spares) best(least int64) int {
	best := -1
	for i, g := range p.ready {
		if g != nil && g.size >= least && (best < 0 || g.size < p.ready[best].size) {
			best = i
		}
	}
	return best
}

// smallest returns the one with the fewest bytes, first of all one that is
// missing; -1 if all are used.
func (p *spares) smallest() (at int, size int64) {
	at = -1
	for i, g := range p.ready {
		n := int64(0)
		if g != nil {
			n = g.size
		}
		if !p.used[i] && (at < 0 || n < size) {
			at, size = i, n
		}
	}
	return at, size
}

// use takes the spare of a name out. Until put, none other gets that name.
func (p *spares) use(at int) (g *segment) {
	g, p.ready[at], p.used[at] = p.ready[at], nil, true
	return g
}

// put ends the use of a name, to which g belongs now, if it is not nil.
func (p *spares) put(at int, g *segment) {
	p.ready[at], p.used[at] = g, false
	p.changed.Broadcast()
}

// room returns the bytes of all spares.
func (p *spares) room() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.bytes()
}

// full returns the error of the last preparation, if that found the disk full.
func (p *spares) full() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if errors.Is(p.err, hosts.ErrFull) {
		return p.err
	}
	return nil
}

// prepare begins to make a spare of size bytes, unless there are enough, or all
// are used, or that failed just now.
func (s *Store) prepare(size int64) {
	s.spares.mu.Lock()
	defer s.spares.mu.Unlock()
	s.prepareLocked(size)
}

// prepareLocked is prepare for who holds the lock. A spare that is too small grows.
func (s *Store) prepareLocked(size int64) {
	p := s.spares
	at, has := p.smallest()
	if has >= size {
		p.err = nil
	}
	if at < 0 || has >= size || time.Now().Before(p.again) {
		return
	}
	g := p.use(at)
	s.background.Go(func() {
		g, err := s.growSpare(spareNames[at], g, size)
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.err, p.again = err, (time.Time{}); err != nil {
			p.again = time.Now().Add(spareRetry)
		}
		p.put(at, g)
	})
}

// taken is a spare that is about to become a segment. Until done is called, its
// file has that name still.
type taken struct {
	*segment
	name string
	done func()
}

// takeSpare waits for a spare of least bytes that leaves the reserve to the others
// and itself, and hands out the smallest, or says why there is none. It returns
// nil when needless reports, under the lock, that none is wanted.
func (s *Store) takeSpare(least, reserve int64, needless func() bool) (*taken, error) {
	p := s.spares
	size := max(s.nextSize(), least) // two of which are enough
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		if needless() {
			return nil, nil
		}
		if at := p.best(least); at >= 0 && p.bytes() >= least+reserve {
			return &taken{p.use(at), spareNames[at], func() {
				p.mu.Lock()
				defer p.mu.Unlock()
				p.put(at, nil)
			}}, nil
		}
		if p.err != nil && time.Now().Before(p.again) {
			return nil, p.err
		}
		s.prepareLocked(size)
		p.changed.Wait()
	}
}

// recycle makes a spare of a segment that nothing points to, if one of its size
// is wanted. What is in it cannot be taken for records of another segment.
func (s *Store) recycle(g *segment) (done bool, err error) {
	p := s.spares
	p.mu.Lock()
	at, has := p.smallest()
	if at < 0 || has >= g.size || g.size > s.maxSize {
		p.mu.Unlock()
		return false, nil
	}
	old := p.use(at)
	p.mu.Unlock()
	if old != nil {
		err = old.file.Close() // the rename removes it
	}
	err = errors.Join(err, s.Root.Rename(segmentName(g.number), spareNames[at]))
	if err == nil {
		err = s.Self.Sync() // it must not be found under its old name with new bytes
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		p.put(at, nil)
		return false, err
	}
	p.again = time.Time{}
	p.put(at, &segment{file: g.file, info: g.info, size: g.size})
	return true, nil
}
