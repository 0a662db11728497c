package conformance

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// maxTries bounds a client that meets conflicts: each is another's success,
// and no case makes so many.
const maxTries = 10_000

// probe is one run of a case. Its methods stop the goroutine at the first
// broken promise and may be called from all goroutines of the case.
type probe struct {
	ctx    context.Context
	cancel func()
	a, b   hosts.Store // two views of the same data, or one handle twice
	way    Outage      // of the engine; nil but in cases of an outage
	name   string      // of the case
	drawn  atomic.Uint64

	// soon is when records expire: a day ahead of the clock, so that no
	// backend's own TTL forgets one while its case runs.
	soon core.Time

	mu   sync.Mutex
	at   string // what the case is doing, where that helps the reader
	seen string // the first broken promise
}

func newProbe(ctx context.Context, cancel func(), name string, a, b hosts.Store) *probe {
	soon := core.Time(time.Now().UnixMilli()) + core.Day
	return &probe{ctx: ctx, cancel: cancel, a: a, b: b, name: name, soon: soon}
}

// note keeps the first broken promise and ends the calls of the others.
func (p *probe) note(format string, args ...any) {
	p.mu.Lock()
	if p.seen == "" {
		p.seen = fmt.Sprintf(format, args...) + p.at
	}
	p.mu.Unlock()
	p.cancel()
}

func (p *probe) outcome() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen
}

func (p *probe) fail(format string, args ...any) {
	p.note(format, args...)
	runtime.Goexit()
}

// guard makes a panic of the store a broken promise like any other.
func (p *probe) guard() {
	if r := recover(); r != nil {
		p.note("the store panics: %v\n%s", r, debug.Stack())
	}
}

// together runs f(0) to f(n-1) at once, each in its goroutine, and returns
// when all have ended.
func (p *probe) together(n int, f func(i int)) {
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		all.Go(func() {
			defer p.guard()
			<-start
			f(i)
		})
	}
	close(start)
	all.Wait()
	if p.outcome() != "" {
		runtime.Goexit()
	}
}

// meeting returns a function that blocks until n goroutines have called it.
func (p *probe) meeting(n int32) func() {
	var came atomic.Int32
	all := make(chan struct{})
	return func() {
		if came.Add(1) == n {
			close(all)
		}
		select {
		case <-all:
		case <-p.ctx.Done():
		}
	}
}

// pulse tells one goroutine that others are getting on.
type pulse chan struct{}

// beat counts if somebody awaits it. It never blocks, but lets others run: on
// few processors those who only call a fast store would keep them all.
func (u pulse) beat() {
	select {
	case u <- struct{}{}:
	default:
	}
	runtime.Gosched()
}

// await returns after n beats that come from now on.
func (u pulse) await(ctx context.Context, n int) {
	for range n {
		select {
		case <-u:
		case <-ctx.Done():
			return
		}
	}
}

// handle spreads clients over the two views.
func (p *probe) handle(i int) hosts.Store {
	if i%2 == 0 {
		return p.a
	}
	return p.b
}

// draw returns 32 bytes that no other draw of this case returns, the same in
// each run, so that a failure repeats.
func (p *probe) draw() [32]byte {
	text := fmt.Appendf(nil, "%s %d", p.name, p.drawn.Add(1))
	return sha256.Sum256(text)
}

func (p *probe) id() core.ID {
	d := p.draw()
	return core.ID(d[:16])
}

func (p *probe) version() core.Version {
	d := p.draw()
	return core.Version(binary.BigEndian.Uint64(d[:])>>1 | 1)
}

// record returns a new valid record, every field set.
func (p *probe) record() core.Record {
	r := core.Record{
		ID: p.id(), Tenant: "acme", User: "alice",
		CreatedAt: p.soon - 2*core.Day + 1, SeenAt: p.soon - core.Day - 7, ExpiresAt: p.soon,
	}
	return p.next(r)
}

// expired returns a record that has expired, but that no backend may forget
// while its case runs: each keeps it for a minute at the least.
func (p *probe) expired() core.Record {
	r := p.record()
	r.ExpiresAt = core.Time(time.Now().UnixMilli()) - 10*core.Second
	return r
}

// next returns r with a new version and other sealed bytes of the same size.
func (p *probe) next(r core.Record) core.Record {
	r.Version = p.version()
	r.Sealed = sealed(r.Version, 300)
	return r
}

// sealed returns n bytes that follow from v.
func sealed(v core.Version, n int) []byte {
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(v)))
	return bytes.Repeat(sum[:], n/len(sum)+1)[:n]
}

// copied returns a private copy of r: the kit's own bytes must not change with
// the store's.
func copied(r core.Record) core.Record {
	r.Sealed = bytes.Clone(r.Sealed)
	return r
}

// try saves a private copy of r.
func (p *probe) try(s hosts.Store, r core.Record, prev core.Version) error {
	return s.Save(p.ctx, copied(r), prev)
}

// save must succeed.
func (p *probe) save(s hosts.Store, r core.Record, prev core.Version) {
	if err := p.try(s, r, prev); err != nil {
		p.fail("Save of %s is refused: %v", describe(r, prev), err)
	}
}

// conflict must be refused.
func (p *probe) conflict(s hosts.Store, r core.Record, prev core.Version) {
	if err := p.try(s, r, prev); !errors.Is(err, core.ErrConflict) {
		p.fail("Save of %s returns %v, want core.ErrConflict", describe(r, prev), err)
	}
}

// change loads id, applies f and saves, again after each conflict. It returns
// what it saved, or false when the session is not there.
func (p *probe) change(s hosts.Store, id core.ID, f func(core.Record) core.Record) (core.Record, bool) {
	for range maxTries {
		was, err := s.Load(p.ctx, id)
		if errors.Is(err, core.ErrNotFound) {
			return was, false
		}
		if err != nil {
			p.fail("Load of %v: %v", id, err)
		}
		is := f(was)
		err = p.try(s, is, was.Version)
		if err == nil {
			return is, true
		}
		if !errors.Is(err, core.ErrConflict) {
			p.fail("Save of %s: %v", describe(is, was.Version), err)
		}
	}
	p.fail("%d loads and saves of %v have all met a conflict", maxTries, id)
	return core.Record{}, false
}

// delete must succeed.
func (p *probe) delete(s hosts.Store, id core.ID) {
	if err := s.Delete(p.ctx, id); err != nil {
		p.fail("Delete of %v: %v", id, err)
	}
}

// holds loads want.ID, which must be exactly want.
func (p *probe) holds(s hosts.Store, want core.Record) {
	got, err := s.Load(p.ctx, want.ID)
	if err != nil {
		p.fail("Load of %s: %v", describe(want, core.NoVersion), err)
	}
	if d := difference(want, got); d != "" {
		p.fail("Load of %v: %s", want.ID, d)
	}
}

// gone loads id, which must not be there.
func (p *probe) gone(s hosts.Store, id core.ID) {
	if got, err := s.Load(p.ctx, id); !errors.Is(err, core.ErrNotFound) {
		p.fail("Load of %v returns version %d and %v, want core.ErrNotFound", id, got.Version, err)
	}
}

func describe(r core.Record, prev core.Version) string {
	kind := "the insert"
	if prev != core.NoVersion {
		kind = fmt.Sprintf("the replacement of version %d", prev)
	}
	return fmt.Sprintf("%s (ID %v, version %d, tenant %q, user %q, expiry %d, %d sealed bytes)",
		kind, r.ID, r.Version, r.Tenant, r.User, int64(r.ExpiresAt), len(r.Sealed))
}

// difference returns how got is not want, "" if it is.
func difference(want, got core.Record) string {
	switch {
	case got.ID != want.ID:
		return fmt.Sprintf("ID is %v, want %v", got.ID, want.ID)
	case got.Version != want.Version:
		return fmt.Sprintf("Version is %d, want %d", got.Version, want.Version)
	case got.Tenant != want.Tenant:
		return fmt.Sprintf("Tenant is %q, want %q", got.Tenant, want.Tenant)
	case got.User != want.User:
		return fmt.Sprintf("User is %q, want %q", got.User, want.User)
	case got.CreatedAt != want.CreatedAt:
		return fmt.Sprintf("CreatedAt is %d, want %d", got.CreatedAt, want.CreatedAt)
	case got.SeenAt != want.SeenAt:
		return fmt.Sprintf("SeenAt is %d, want %d", got.SeenAt, want.SeenAt)
	case got.ExpiresAt != want.ExpiresAt:
		return fmt.Sprintf("ExpiresAt is %d, want %d", got.ExpiresAt, want.ExpiresAt)
	case !bytes.Equal(got.Sealed, want.Sealed):
		return fmt.Sprintf("Sealed is %d other bytes, want %d", len(got.Sealed), len(want.Sealed))
	}
	return ""
}
