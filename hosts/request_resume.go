package hosts

import (
	"errors"

	"github.com/rockstar-web/sessions/core"
)

// Resume finds the visitor's session: it opens the cookies, asks the store for
// at most two candidates and returns the first that is live. A session whose
// cookie was stolen, or whose binding is broken, is ended. The error is the
// refusal of the newest (none of them is a failure), or wraps ErrUnavailable.
func (m *Manager) Resume(x *Request) (*core.Session, error) {
	if x.Arriving != nil {
		if err := x.arrive(); err != nil || x.current != nil {
			return m.arrived(x, err)
		}
	}
	tickets, err := m.machine.Identify(x.Cookies.Fields(), x.Tenant, m.now())
	if err != nil {
		x.refused = err
		m.refused(x, core.Record{}, err)
		return nil, err
	}
	var refusal error
	ended := false
	for i := range tickets[:min(len(tickets), core.MaxCandidates)] {
		s, err := m.resume(x, tickets[i])
		if err == nil {
			x.Updates.Clear()
			x.current, x.refused = s, nil
			return s, nil
		}
		var r *core.Refusal
		if !errors.As(err, &r) {
			return nil, err
		}
		if refusal == nil {
			refusal = err
		}
		ended = ended || breach(err)
	}
	if ended && x.Reply != nil { // this request ended what the cookie is of
		_ = m.reply(x, m.machine.ClearCookie(x.HTTPS)) // too late for the header: the cookie opens nothing anyway
	}
	x.refused = refusal
	return nil, refusal
}

// arrived judges the session that x.Arriving has brought, if err is nil.
func (m *Manager) arrived(x *Request, err error) (*core.Session, error) {
	if err == nil {
		err = m.admit(x, x.current, false)
	}
	if _, refused := errors.AsType[*core.Refusal](err); refused {
		x.refused = err
	}
	if err != nil {
		x.current = nil
	}
	return x.current, err
}

func (m *Manager) resume(x *Request, t core.Ticket) (*core.Session, error) {
	s, err := m.recall(x, t)
	x.cached = s != nil
	for try := 0; s == nil && err == nil; try++ {
		s, err = m.resumeStored(x, t)
		if lostRace(err) && try < maxResends && pause(x, try) { // it was to end, and is another by now
			err = nil
		}
	}
	switch {
	case lostRace(err):
		return nil, m.unavailable("end session", t.ID, ErrBusy)
	case err != nil:
		return nil, err
	}
	m.counts.resumed.Add(1)
	if m.events.wanted(EventResumed) {
		m.tell(x, EventResumed, s)
	}
	return s, nil
}

func (m *Manager) resumeStored(x *Request, t core.Ticket) (*core.Session, error) {
	r, err := m.load(x, t.ID)
	if err != nil {
		m.refused(x, core.Record{ID: t.ID}, err)
		return nil, err
	}
	s, err := m.machine.Resume(t, r, x.request(), m.now())
	if err != nil {
		m.refused(x, r, err)
		if breach(err) {
			return nil, m.endBreached(x, &r, err)
		}
		if x.barred == nil && errors.Is(err, core.ErrIPFamily) {
			x.barred = &barred{t, r}
		}
		return nil, err
	}
	if err := m.admit(x, s, false); err != nil {
		m.refused(x, r, err)
		return nil, err
	}
	return s, nil
}

// breach reports a stolen cookie or a broken binding: the session must end.
func breach(err error) bool {
	return errors.Is(err, core.ErrTheft) || errors.Is(err, core.ErrIPChanged) || errors.Is(err, core.ErrUserAgentChanged)
}

func (m *Manager) endBreached(x *Request, r *core.Record, why error) error {
	ctx, cancel := m.lasting(x)
	defer cancel()
	if err := m.remove(ctx, r.ID); err != nil {
		return err
	}
	m.counts.end(r.ID, core.ReasonOf(why))
	m.emit(x, Event{Kind: EventEnded, Reason: core.ReasonOf(why), ID: r.ID, Tenant: r.Tenant, User: r.User})
	return why
}

func (m *Manager) refused(x *Request, r core.Record, err error) {
	m.counts.refuse(err)
	reason := core.ReasonOf(err)
	if reason == core.ReasonUnknownKey && !m.keyWarned.Swap(true) {
		m.events.warn("a cookie is encrypted with a key that this server does not have, so its visitor is signed out; if there are many of them, give the server the earlier key, too (Config.Keys): " + err.Error())
	}
	if reason == core.ReasonNone || !m.events.wanted(EventRefused) {
		return
	}
	m.emit(x, Event{Kind: EventRefused, Reason: reason, ID: r.ID, Tenant: x.Tenant, User: r.User, Err: err})
}
