package core

import (
	"math"

	"github.com/rockstar-web/sessions/internal/digest"
)

// Effects is what a host must do, in the order of the fields. A step that
// fails ends the commit: nothing after it is done.
type Effects struct {
	// Delete names a session to be deleted first, unconditionally: the one
	// that ended, or the one of another user that a login replaces.
	Delete ID
	// Trace is a record to be inserted under the deleted ID, or nil: by it
	// requests on their way with the cookie of the session that a login has
	// replaced begin none whose cookie would replace the login's. That it
	// cannot be stored is no failure.
	Trace *Record
	// Save is a record to be saved in place of version Prev, or nil. On
	// ErrConflict the host loads the session and calls Rebase.
	Save *Record
	Prev Version
	// Touch: the save only notes the use of the session. A conflict is
	// success, since the other request noted it too; then no cookie is set.
	Touch bool
	// Cookies are Set-Cookie field values, to be sent only after the save.
	Cookies []string
	// Dropped names values that a login leaves out: they were put from values
	// which other requests have changed.
	Dropped []string
	// Did tells what these effects amount to once they are carried out.
	Did Deed
	// Size is the session's, and Warn that it has just passed WarnSize.
	Size int
	Warn bool
	// Next is the session after success; the one that was committed is spent.
	Next *Session
}

// Deed is a set of things that a commit does.
type Deed uint8

// The deeds.
const (
	DidCreate Deed = 1 << iota
	DidLogin
	DidRenew
	DidRefresh
	DidChange
	DidTouch
	DidEnd
)

// Nothing reports whether there is nothing to do: no write and no cookie.
func (e *Effects) Nothing() bool {
	return e.Delete.IsZero() && e.Save == nil && len(e.Cookies) == 0
}

// A draft is the next stored state of a session while it is made.
type draft struct {
	s      *Session
	now    Time
	seed   *Seed
	rec    Record
	next   payload
	ticket Ticket
	cookie bool // to be set, if the current secret is at hand
	firm   bool // a conflict is no success, though no deed shows
	did    Deed
}

// Commit tells what must be stored and sent so that what the request did to
// its session lasts. A session that was only read, and whose use was noted
// lately, has no effects. The seed must be fresh for each call.
func (m *Machine) Commit(s *Session, now Time, seed Seed) (Effects, error) {
	if seed.isZero() {
		return Effects{}, ErrSeed
	}
	if s.state == StateEnded {
		if s.outdated {
			return m.commitOutdated(s, now, &seed)
		}
		return m.commitEnd(s), nil
	}
	if s.req.SignIn && s.state == StateActive {
		return Effects{}, ErrIPFamily
	}
	if !m.Pending(s, now) {
		return Effects{Next: s}, nil
	}
	if err := s.sound(); err != nil {
		return Effects{}, err
	}
	d := draft{s: s, now: now, seed: &seed, rec: s.rec, next: s.in, ticket: s.ticket}
	d.begin()
	if !s.quiet {
		d.authenticate()
	}
	d.limit()
	d.prove()
	d.use()
	return d.effects()
}

// sound reports why what the request did must not be stored, if so. A login is
// not refused for what it would put: that is left out.
func (s *Session) sound() error {
	if err := s.Barred(); err != nil {
		return err
	}
	if s.toUpdate() {
		return ErrAgain
	}
	for name, found := s.conflict(); found; name, found = s.conflict() {
		if !s.login {
			return &ConflictError{name}
		}
		s.drop(name)
	}
	return nil
}

// Pending reports whether Commit has anything to store. It costs next to
// nothing, so that a host need not draw a seed for a request that only reads.
func (m *Machine) Pending(s *Session, now Time) bool { return now >= s.due() }

const (
	always Time = math.MinInt64
	never  Time = math.MaxInt64
)

// due is the moment from which on there is something to store.
func (s *Session) due() Time {
	switch {
	case s.state == StateNew && !s.login && !s.keep && s.cur.len() == 0:
		return never
	case s.state != StateActive || s.Changed() || s.proof != nil:
		return always
	case s.quiet:
		return never
	case s.followDue() || s.sightingDue():
		return always
	}
	return min(s.touchDue(), s.renewalDue())
}

func (m *Machine) commitEnd(s *Session) Effects {
	e := Effects{Cookies: m.ClearCookie(s.req.HTTPS), Did: DidEnd, Next: s}
	if s.rec.Version != NoVersion {
		e.Delete = s.rec.ID
	} else if !s.replaces.IsZero() {
		e.Delete = s.replaces
	}
	return e
}

// begin fills in what is new, and the values.
func (d *draft) begin() {
	s := d.s
	if s.state == StateNew {
		if d.rec.ID.IsZero() {
			d.rec.ID = d.seed.id()
		}
		d.rec.CreatedAt, d.rec.SeenAt = d.now, d.now
		d.next.ip = []byte(clip(s.req.IP, MaxAddress))
		d.next.userAgent = []byte(clip(s.req.UserAgent, MaxUserAgent))
		d.did |= DidCreate
	}
	if s.owned && !sameValues(&s.in.data, &s.cur) {
		d.next.data = s.cur
		d.did |= DidChange
	}
	d.rec.User = s.user
	d.next.lifetime, d.next.remember = s.lifetime, choose(s.remember)
}

// limit sets the deadline: at the beginning, at a login and at a refresh.
func (d *draft) limit() {
	s := d.s
	if s.login {
		d.next.loginAt = d.now
		d.did |= DidLogin
		d.enrol()
	}
	if s.refresh || s.relimit {
		d.did |= DidRefresh
	}
	if d.did&(DidCreate|DidLogin|DidRefresh) == 0 {
		return
	}
	start := d.next.loginAt
	if start == 0 {
		start = d.rec.CreatedAt
	}
	deadline := min(d.now+s.wholeLifetime(), start+s.m.policy.MaxLifetime)
	if s.refresh && !s.login && !s.relimit {
		deadline = max(deadline, d.next.deadline)
	}
	d.next.deadline = deadline
	d.cookie = true
}

// use notes with every write that the session was used.
func (d *draft) use() {
	s, p := d.s, &d.s.m.policy
	if s.counts() {
		d.rec.SeenAt = max(d.rec.SeenAt, d.now)
		if s.state == StateActive && d.now >= s.touchDue() {
			d.did |= DidTouch
		}
	}
	if !s.ticket.trusted && !s.quiet {
		d.next.lastIP = []byte(clip(s.req.IP, MaxAddress))
		d.next.lastUserAgent = []byte(clip(s.req.UserAgent, MaxUserAgent))
	}
	d.cookie = !s.quiet && (d.cookie || s.ticket.old) // sealed anew under the key that seals now
	d.rec.ExpiresAt = d.next.deadline
	if p.IdleTimeout != 0 {
		d.rec.ExpiresAt = min(d.next.deadline, d.rec.SeenAt+p.IdleTimeout)
	}
}

func (d *draft) effects() (Effects, error) {
	s, m := d.s, d.s.m
	d.rec.Version = d.seed.version()
	if s.rec.Version != NoVersion {
		d.next.versions = d.next.withVersion(s.rec.Version)
	}
	d.next.format = recordFormat
	size, gives := d.next.data.size, d.gives()
	if gives {
		d.next.givenAt = d.now
	}
	if err := m.ring.sealRecord(&d.rec, &d.next, d.now, d.seed); err != nil {
		return Effects{}, err
	}
	next := &Session{m: m, state: s.state, rec: d.rec, in: d.next, cur: d.next.data,
		req: s.req, ticket: d.ticket, user: d.rec.User, lifetime: d.next.lifetime}
	if err := next.state.step(verbStore); err != nil {
		return Effects{}, err
	}
	next.remember = s.remember
	next.carry(s)
	trace, err := d.trace()
	if err != nil {
		return Effects{}, err
	}
	e := Effects{Delete: s.replaces, Trace: trace, Dropped: s.Dropped(), Save: &next.rec, Prev: s.rec.Version, Touch: d.did&^DidTouch == 0 && !d.firm, Did: d.did,
		Size: size, Warn: size > m.policy.WarnSize && s.in.data.size <= m.policy.WarnSize, Next: next}
	if gives {
		if e.Cookies, err = m.policy.giveCookie(m.ring, &d.ticket, s.req.HTTPS, d.rec.Tenant, m.maxAge(next, d.now), d.now, d.seed); err != nil {
			return Effects{}, err
		}
	}
	return e, nil
}

// trace makes the record that stays for SupersededHold in the place of the
// session which this login replaces: nobody's, with no value and no secret.
func (d *draft) trace() (*Record, error) {
	if d.s.replaces.IsZero() {
		return nil, nil
	}
	r := &Record{ID: d.s.replaces, Version: d.rec.Version, Tenant: d.rec.Tenant}
	return r, d.s.m.trace(r, new(payload), d.now, d.seed)
}

// trace completes and seals a record that is nobody's.
func (m *Machine) trace(r *Record, p *payload, now Time, seed *Seed) error {
	r.CreatedAt, r.SeenAt, r.ExpiresAt = now, now, now+SupersededHold
	p.format, p.deadline, p.gen, p.replaced = recordFormat, r.ExpiresAt, generation{chain: math.MaxUint32}, true
	p.renewedAt, p.givenAt, p.chainAt = now, now, now
	return m.ring.sealRecord(r, p, now, seed)
}

// newSecret replaces the secret and remembers only its hash in the record.
func (d *draft) newSecret(secret [32]byte, gen generation) {
	d.next.secretHash = digest.Sum256(secret[:])
	d.next.gen = gen
	d.next.nextSeenAt, d.next.renewedAt = 0, d.now
	d.ticket = Ticket{ID: d.rec.ID, secret: hide(secret), gen: gen}
	d.cookie = true
}
