package hosts

import (
	"bytes"

	"github.com/rockstar-web/sessions/core"
)

// This file is for packages that bring in sessions from elsewhere, such as
// hosts/migrate: what they need of a manager and a request, and no program else.

// arrive runs x.Arriving. Only a stored session stays the request's.
func (x *Request) arrive() error {
	arriving := x.Arriving
	x.Arriving = nil
	err := arriving(x)
	if err != nil {
		x.Arriving = arriving
	}
	if err != nil || x.current != nil && x.current.State() != core.StateActive {
		x.current = nil
	}
	return err
}

// Engine returns what decides for the manager.
func (m *Manager) Engine() Engine { return m.machine }

// Now returns the time by the manager's clock.
func (m *Manager) Now() core.Time { return m.now() }

// Tell emits the events of effects that were carried out outside of the manager.
func (m *Manager) Tell(x *Request, e *core.Effects) { m.tellDeeds(x, e) }

// Unavailable reports that the store failed, and returns err as ErrUnavailable.
func (m *Manager) Unavailable(what string, err error) error {
	return m.unavailable(what, core.ID{}, err)
}

// Core returns the request as the core sees it.
func (x *Request) Core() core.Request { return x.request() }

// MarkerPrefix begins what is sealed in a record that is no session, but notes
// something under its ID until it expires. No session's begins so: the first byte
// of those is a version of the sealed format, and that is never 0.
const MarkerPrefix = "\x00marker\x00"

// IsMarker reports whether r is no session. Revoke leaves such records alone.
func IsMarker(r *core.Record) bool { return bytes.HasPrefix(r.Sealed, []byte(MarkerPrefix)) }
