package wire

import (
	"github.com/rockstar-web/sessions/core"
)

// Client is the host's side of one configured machine, with the verbs of
// core.Machine. What needs no key it does itself. It is safe for concurrent use
// if Call is.
type Client struct {
	// Call hands one frame to the guest and returns its reply, which is the
	// Client's from then on. Its errors are returned as they are.
	Call func(frame []byte) (reply []byte, err error)

	rules    *core.Machine
	machine  uint32
	warnings []string
}

// Configure makes a machine in the guest. keys are in the frame and nowhere
// else afterwards; it is wiped before Configure returns.
func Configure(call func([]byte) ([]byte, error), p core.Policy, keys core.KeyRing) (*Client, error) {
	rules, err := core.NewRules(p)
	if err != nil {
		return nil, err
	}
	frame := AppendConfigure(nil, p, keys)
	defer clear(frame)
	reply, err := call(frame)
	if err != nil {
		return nil, err
	}
	r, err := readStatus(reply)
	if err != nil {
		return nil, err
	}
	c := &Client{Call: call, rules: rules, machine: r.Uint32(), warnings: r.strings()}
	name, idle, retention := string(r.Short()), r.time(), r.time()
	p = rules.Policy()
	if !r.end() || name != p.CookieName || idle != p.IdleTimeout || retention != p.Retention {
		return nil, ErrMalformed
	}
	return c, nil
}

// Policy returns the policy in force, defaults filled in.
func (c *Client) Policy() core.Policy { return c.rules.Policy() }

// Warnings tells what is allowed but likely a mistake.
func (c *Client) Warnings() []string { return c.warnings }

// New is core.Machine.New.
func (c *Client) New(q core.Request) *core.Session { return c.rules.New(q) }

// Pending is core.Machine.Pending.
func (c *Client) Pending(s *core.Session, now core.Time) bool { return c.rules.Pending(s, now) }

// Fold is core.Machine.Fold.
func (c *Client) Fold(t, s *core.Session) error { return c.rules.Fold(t, s) }

// ClearCookie is core.Machine.ClearCookie.
func (c *Client) ClearCookie(https bool) []string { return c.rules.ClearCookie(https) }

func (c *Client) ask(frame []byte) (*reader, error) {
	reply, err := c.Call(frame)
	if err != nil {
		return nil, err
	}
	return readStatus(reply)
}

// room is memory for a frame with so many bytes of content; its fixed fields
// take half a kilobyte, more or less.
func room(content int) []byte { return make([]byte, 0, 512+content) }

// Identify is core.Machine.Identify.
func (c *Client) Identify(cookies []string, tenant string, now core.Time) ([]core.Ticket, error) {
	r, err := c.ask(AppendIdentify(room(0), c.machine, now, tenant, cookies))
	if err != nil {
		return nil, err
	}
	n := r.count(core.TicketLen)
	tickets := make([]core.Ticket, 0, n)
	for range n {
		tickets = append(tickets, r.ticket())
	}
	if !r.end() {
		return nil, ErrMalformed
	}
	return tickets, nil
}

// Resume is core.Machine.Resume.
func (c *Client) Resume(t core.Ticket, rec core.Record, q core.Request, now core.Time) (*core.Session, error) {
	r, err := c.ask(AppendResume(room(len(rec.Sealed)), c.machine, now, t, q, &rec))
	if err != nil {
		return nil, err
	}
	return c.whole(r, r.session(c.rules))
}

// whole returns what was read if it is all that the reply held.
func (c *Client) whole(r *reader, s *core.Session) (*core.Session, error) {
	if !r.end() {
		return nil, ErrMalformed
	}
	return s, nil
}

// Commit is core.Machine.Commit. The guest is asked only if there is anything
// to store: the rules tell.
func (c *Client) Commit(s *core.Session, now core.Time, seed core.Seed) (core.Effects, error) {
	if seed != (core.Seed{}) && !c.rules.Pending(s, now) {
		return core.Effects{Next: s}, nil
	}
	r, err := c.ask(AppendCommit(room(2*s.Size()), c.machine, now, seed, s))
	if err != nil {
		return core.Effects{}, err
	}
	e := r.effects(c.rules)
	if !r.end() {
		return core.Effects{}, ErrMalformed
	}
	return e, nil
}

// Rebase is core.Machine.Rebase.
func (c *Client) Rebase(s *core.Session, theirs *core.Record, now core.Time) (*core.Session, error) {
	r, err := c.ask(AppendRebase(room(3*s.Size()), c.machine, now, s, theirs))
	if err != nil {
		return nil, err
	}
	var next *core.Session
	if r.flag() {
		next = r.session(c.rules)
	}
	return c.whole(r, next)
}

// Applied is core.Machine.Applied.
func (c *Client) Applied(theirs *core.Record, version, prev core.Version, now core.Time) (applied, known bool, err error) {
	r, err := c.ask(AppendApplied(room(len(theirs.Sealed)), c.machine, now, version, prev, theirs))
	if err != nil {
		return false, false, err
	}
	applied, known = r.flag(), r.flag()
	if !r.end() {
		return false, false, ErrMalformed
	}
	return applied, known, nil
}

// Cookie is core.Machine.Cookie.
func (c *Client) Cookie(s *core.Session, now core.Time, seed core.Seed) ([]string, error) {
	r, err := c.ask(AppendCookie(room(s.Size()), c.machine, now, seed, s))
	if err != nil {
		return nil, err
	}
	fields := r.strings()
	if !r.end() {
		return nil, ErrMalformed
	}
	return fields, nil
}
