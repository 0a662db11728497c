package seglog

import (
	"runtime"

	"github.com/rockstar-web/sessions/core"
)

// reading is what a segment says. It is read and checked beside others, and
// comes into the index afterwards, in the order of the log.
type reading struct {
	*scan
	said   []said
	lost   bool // all of it: its header is damaged
	roll   rollReader
	rolled int64 // bytes of the roll
	err    error
}

// said is one record without its texts, or a part that is none.
type said struct {
	kind    kind // nothing: it is lost
	ended   bool
	sealed  bool // as it was written
	id      core.ID
	version core.Version
	expires core.Time
	owner   owner
	from    int64
	start   int64 // of Sealed, from there
	length  int64
}

const nothing kind = 0

const usualRecord = 256 // bytes; what is smaller makes the list of a reading grow

// read reads a segment; next is the one behind it, if that tells where this one
// ends. It changes nothing.
func (x *index) read(g, next *segment) *reading {
	r := &reading{scan: newScan(g, g.size)}
	if g.damaged {
		r.lost, r.at = true, g.size
		r.lose(0, g.size)
		return r
	}
	if next != nil {
		r.end = min(next.before, g.size)
	}
	r.said = make([]said, 0, max(0, r.end-firstByte)/usualRecord)
	r.err = r.records(x, next == nil)
	r.window = nil
	if next != nil && g.size < next.before {
		r.lose(g.size, next.before)
	}
	return r
}

// records reads all that there are. Where the segment ends is to be found out,
// if the end is open.
func (r *reading) records(x *index, open bool) error {
	for r.at < r.end {
		h, b, ok, err := r.record(r.at)
		if err != nil {
			return err
		}
		if b == nil && open {
			if settled, err := r.settled(); err != nil || settled <= r.at {
				return err
			}
		}
		if ok {
			r.take(x, &h, b)
			r.at += padded(h.length)
			continue
		}
		from := r.at
		if err := r.skip(); err != nil {
			return err
		}
		r.lose(from, r.at)
	}
	return nil
}

func (r *reading) lose(from, to int64) {
	r.said = append(r.said, said{kind: nothing, from: from, length: to - from})
}

// take notes a record. Of one whose Sealed is damaged, b is nil.
func (r *reading) take(x *index, h *head, b []byte) {
	if h.kind == kindRoll {
		r.rolled += padded(h.length)
		if b != nil {
			r.roll.add(h, b, r.at)
		} else {
			r.lose(r.at, r.at+h.length)
		}
		return
	}
	r.said = append(r.said, said{
		kind: h.kind, ended: h.ended, sealed: b != nil, id: h.record.ID, version: h.record.Version, expires: h.record.ExpiresAt,
		owner: x.ownerOf(h.record.Tenant, h.record.User), from: r.at, start: h.start, length: h.length,
	})
}

// readAhead reads segments, a few of them at once, and hands out the readings in
// their order. After stop it reads no more.
func readAhead(n int, read func(i int) *reading) (next func() *reading, stop func()) {
	ahead, stopped := make(chan chan *reading, runtime.GOMAXPROCS(0)), make(chan struct{})
	go func() {
		defer close(ahead)
		for i := range n {
			one := make(chan *reading, 1)
			select {
			case ahead <- one:
			case <-stopped:
				return
			}
			go func() { one <- read(i) }()
		}
	}()
	next = func() *reading { return <-<-ahead }
	stop = func() {
		close(stopped)
		for one := range ahead { // nobody may read a file that is closed
			<-one
		}
	}
	return next, stop
}
