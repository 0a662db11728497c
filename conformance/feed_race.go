package conformance

import (
	"errors"
	"sync"

	"github.com/rockstar-web/sessions/core"
)

// written is what one client has done to a session of its own.
type written struct {
	id       core.ID
	versions []core.Version // begun, in order
	acked    int            // of versions
	ending   bool           // a delete was begun
	ended    bool           // and acknowledged
}

// at returns the place of a version; 0 is that of the insert.
func (w *written) at(v core.Version) int {
	for i, one := range w.versions {
		if one == v {
			return i
		}
	}
	return -1
}

// scribes are clients that save as long as they like, while a follower is asked.
type scribes struct {
	p   *probe
	mu  sync.Mutex
	all []written
}

// write saves a session some times and ends it. Each client has its number.
func (s *scribes) write(i, saves int) {
	r := s.p.record()
	s.note(func() { s.all[i] = written{id: r.ID, versions: []core.Version{r.Version}} })
	s.p.save(s.p.handle(i), r, core.NoVersion)
	for n := range saves {
		was := r
		r = s.p.next(was)
		s.note(func() { s.all[i].versions = append(s.all[i].versions, r.Version) })
		s.p.save(s.p.handle(i+n), r, was.Version)
		s.note(func() { s.all[i].acked++ })
	}
	s.note(func() { s.all[i].ending = true })
	s.p.delete(s.p.handle(i), r.ID)
	s.note(func() { s.all[i].ended = true })
}

func (s *scribes) note(what func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	what()
}

// now returns a copy of what was done.
func (s *scribes) now() []written {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]written(nil), s.all...)
}

// underSaves asks a follower while clients write, and once when they are done. judge
// has what was acknowledged before the question.
func (p *probe) underSaves(judge func(e *ear, before []written, s *scribes)) {
	const clients, saves, rounds = 6, 40, 3
	for range rounds {
		s := &scribes{p: p, all: make([]written, clients)}
		e := p.follow(p.a)
		var left sync.WaitGroup
		left.Add(clients)
		done := make(chan struct{})
		go func() { left.Wait(); close(done) }()
		p.together(clients+1, func(i int) {
			if i < clients {
				defer left.Done()
				s.write(i, saves)
				return
			}
			defer e.close()
			for last := false; !last && p.ctx.Err() == nil; {
				select {
				case <-done:
					last = true
				default:
				}
				before := s.now()
				e.ask()
				judge(e, before, s)
			}
		})
	}
}

func feedUnderSaves(p *probe) {
	reached := make(map[core.ID]int) // of the versions, what was reported; all of them: ended or not known
	p.underSaves(func(e *ear, before []written, s *scribes) {
		for id, versions := range e.reported {
			w := s.of(id)
			for _, v := range versions {
				switch {
				case v != core.NoVersion:
					reached[id] = max(reached[id], w.at(v))
				case w.ending:
					reached[id] = everyVersion
				default: // it is not known, and may be whatever has begun
					reached[id] = max(reached[id], len(w.versions)-1)
				}
			}
		}
		for _, w := range before {
			switch at := reached[w.id]; {
			case at < w.acked:
				p.fail("save %d of %v was acknowledged before a question, and its answer and all earlier ones have at most save %d", w.acked, w.id, at)
			case w.ended && at < everyVersion:
				p.fail("the delete of %v was acknowledged before a question, and neither its answer nor an earlier one has it", w.id)
			}
		}
	})
}

const everyVersion = 1 << 30

// feedReadable loads what is reported.
func feedReadable(p *probe) {
	p.underSaves(func(e *ear, _ []written, s *scribes) {
		for id, versions := range e.reported {
			got, err := p.b.Load(p.ctx, id)
			if err != nil && !errors.Is(err, core.ErrNotFound) {
				p.fail("Load of %v: %v", id, err)
			}
			w := s.of(id)
			for _, v := range versions {
				if err == nil && v != core.NoVersion && w.at(got.Version) < w.at(v) {
					p.fail("version %d of %v is reported, and Load returns the earlier version %d after that", v, id, got.Version)
				}
			}
		}
	})
}

// of returns what was done to a session.
func (s *scribes) of(id core.ID) written {
	for _, w := range s.now() {
		if w.id == id {
			return w
		}
	}
	return written{}
}

// feedSlept leaves a follower alone for some hundred changes.
func feedSlept(p *probe) {
	const sessions, changes = 20, 60
	e := p.follow(p.a)
	defer e.close()
	last := make([]core.Record, sessions)
	replaced := make([][]core.Version, sessions)
	p.together(sessions, func(i int) {
		r := p.record()
		p.save(p.handle(i), r, core.NoVersion)
		for range changes {
			was := r
			r = p.next(was)
			p.save(p.handle(i), r, was.Version)
			replaced[i] = append(replaced[i], was.Version)
		}
		last[i] = r
		if i%2 == 0 {
			p.delete(p.handle(i), r.ID)
		}
	})
	if e.hear() != nil {
		return
	}
	for i, r := range last {
		e.wants(r, "Save, while the follower was not asked,", replaced[i]...)
		if i%2 == 0 {
			e.wantsEnd(r.ID, "Delete, while the follower was not asked,")
		}
	}
}

func feedTwo(p *probe) {
	often, once := p.follow(p.a), p.follow(p.b)
	defer often.close()
	defer once.close()
	var all []core.Record
	var was []core.Version
	for n := range 8 {
		r := p.record()
		p.save(p.handle(n), r, core.NoVersion)
		all, was = append(all, p.next(r)), append(was, r.Version)
		p.save(p.handle(n), all[n], r.Version)
		if n%2 == 0 {
			p.delete(p.handle(n/2), r.ID)
		}
		often.ask()
		often.wants(all[n], "Save, with two followers,", r.Version)
	}
	once.ask()
	for n, r := range all {
		once.wants(r, "Save, which another follower has reported,", was[n])
		if n%2 == 0 {
			once.wantsEnd(r.ID, "Delete, which another follower has reported,")
		}
	}
}

func feedClose(p *probe) {
	stays := p.follow(p.a)
	defer stays.close()
	for n := range 6 {
		goes := p.follow(p.handle(n))
		r := p.record()
		p.save(p.b, r, core.NoVersion)
		next := p.next(r)
		p.save(p.b, next, r.Version)
		if n%2 == 0 {
			goes.ask()
			goes.wants(next, "Save", r.Version)
		}
		goes.close()
		p.delete(p.b, r.ID)
		stays.ask()
		stays.wants(next, "Save, before another follower was closed,", r.Version)
		stays.wantsEnd(r.ID, "Delete, after another follower was closed,")
	}
	for range 20 { // more than a store has connections
		p.follow(p.a).close()
	}
}
