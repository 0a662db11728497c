package sessionstest

import (
	"crypto/rand"
	"slices"
	"sync"
	"time"

	"github.com/rockstar-web/sessions/hosts"
)

const (
	maxEvents = 10_000           // kept for a test that never asks
	patience  = 30 * time.Second // for an event that must come
)

// recorder keeps the events of OnEvent.
type recorder struct {
	next    func(hosts.Event) // the application's own, or nil
	foreign bool              // no events are reported

	mu      sync.Mutex
	kept    []hosts.Event
	lost    bool
	awaited string        // the user agent of the mark that is waited for
	arrived chan struct{} // closed with it
}

func (r *recorder) record(e hosts.Event) {
	if r.keep(e) && r.next != nil {
		r.next(e)
	}
}

// keep keeps an event, unless it is the mark.
func (r *recorder) keep(e hosts.Event) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lost = r.lost || e.Dropped > 0
	switch {
	case r.awaited != "" && e.UserAgent == r.awaited:
		r.awaited = ""
		close(r.arrived)
		return false
	case len(r.kept) == maxEvents:
		r.lost = true
	default:
		r.kept = append(r.kept, e)
	}
	return true
}

// Events returns what has happened to sessions since it was last called, in order,
// what requests did that have been answered by now included. The sign-in of a
// visitor of As is among it.
func (app *App) Events() []hosts.Event {
	app.t.Helper()
	r := &app.events
	if r.foreign {
		app.t.Fatal("sessionstest: the events of a wrapped middleware are not seen: make its manager from a config that sessionstest.Prepare has filled in")
	}
	select {
	case <-app.mark():
	case <-time.After(patience):
		app.t.Fatalf("sessionstest: no event within %v: OnEvent of the config hangs, or the manager is closed", patience)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lost {
		app.t.Fatalf("sessionstest: events were lost: more than %d came before the test asked for them, or OnEvent of the config is slow", maxEvents)
	}
	events := slices.Clone(r.kept)
	r.kept = nil
	return events
}

// mark makes an event that comes after all others: events are reported later, from one
// goroutine. It is a refusal of a cookie that never was one, so that the store is
// not asked.
func (app *App) mark() <-chan struct{} {
	r := &app.events
	r.mu.Lock()
	r.awaited, r.arrived = "sessionstest "+rand.Text(), make(chan struct{})
	x := &hosts.Request{Cookies: hosts.CookieFields(app.Manager.Policy().CookieName + "=mark"), UserAgent: r.awaited}
	arrived := r.arrived
	r.mu.Unlock()
	defer x.Close()
	_, _ = app.Manager.Resume(app.Manager.Attach(x)) // refused
	return arrived
}
