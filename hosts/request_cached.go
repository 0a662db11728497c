package hosts

import (
	"errors"
	"strings"

	"github.com/rockstar-web/sessions/core"
)

// This file is about sessions that come from a cache before the store. They may be
// as old as feed.Lease, and no session that was logged out is among them. A change
// is safe all the same: its save names the version that it replaces.

// recall resumes a session from the cache, or returns nil: the store must be asked.
// The cache only ever says yes. The error is ErrCredentials.
func (m *Manager) recall(x *Request, t core.Ticket) (*core.Session, error) {
	switch {
	case m.cache == nil || x.asks:
		return nil, nil
	case m.changedNow(x):
		m.cache.Doubt(DoubtChanged)
		return nil, nil
	}
	r, ok := m.cache.Recall(t.ID)
	if !ok {
		return nil, nil
	}
	s, err := m.machine.Resume(t, r, x.request(), m.now())
	if err == nil && !s.Behind() { // only the current secret is believed
		err = m.admit(x, s, true)
		if err == nil || !errors.Is(err, core.ErrCredentialsChanged) {
			return s, err
		}
	}
	m.cache.Doubt(DoubtRefused)
	return nil, nil
}

// changedNow reports whether the visitor shows core.Policy.ChangedCookie.
func (m *Manager) changedNow(x *Request) bool {
	name := m.changedName
	for _, field := range x.Cookies.Fields() {
		for rest := field; ; {
			at := strings.Index(rest, name)
			if at < 0 {
				break
			}
			if before := strings.TrimRight(rest[:at], " "); before == "" || strings.HasSuffix(before, ";") {
				return true
			}
			rest = rest[at+len(name):]
		}
	}
	return false
}

// announce has the browser say for a moment that its session was changed.
func (m *Manager) announce(x *Request, e *core.Effects) error {
	if m.cache == nil || x == nil || x.Reply == nil || e.Save == nil || e.Touch {
		return nil
	}
	policy := m.machine.Policy()
	if err := x.Reply("Set-Cookie", policy.ChangedCookie(x.HTTPS)); err != nil {
		return err
	}
	return x.Reply("Cache-Control", "no-store")
}

// Reread loads the session of a request anew where it is of a cache, so that what
// is read from it is what is stored now. What the request has read and changed goes
// on from there. Hosts call it before a value is read in a request that is Unsafe.
// The error wraps ErrUnavailable. Where the session has ended meanwhile the request
// goes on with what it has, as one that had loaded it before: its commit refuses what it
// changes.
func (m *Manager) Reread(x *Request) error {
	s := x.current
	if !x.cached || s == nil || s.State() != core.StateActive {
		return nil
	}
	m.cache.Doubt(DoubtUnsafe)
	ctx, cancel := m.lasting(x)
	defer cancel()
	theirs, err := m.stored(ctx, s.ID())
	if err != nil {
		return err
	}
	x.cached = false
	x.Updates.guard = x.Guard
	next, err := m.machine.Rebase(s, theirs, m.now())
	if err != nil || next == nil {
		return nil // the commit meets it again, and says so
	}
	if err := redo(next, x.Updates.again); err != nil {
		return err
	}
	x.current = next
	return nil
}
