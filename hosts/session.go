package hosts

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts/values"
)

// Session is a session as a program handles it: its fields, and Data
// as a plain map. A map does not know what was read: of two requests that change
// one name the later Save wins, unless Config.Merge or Exclusive say otherwise.
// Manager.Add, Update and Take lose nothing. It belongs to one goroutine. Changes
// of Data, UserID and ExpiresAt take effect at Manager.Save; the other fields are
// only shown.
type Session struct {
	ID            core.ID
	TenantID      string
	UserID        string // setting it is a login: the secret is renewed; after another user a new session begins
	IPAddress     string // of the creating request
	UserAgent     string
	LastIPAddress string // of the last use that was written
	LastUserAgent string
	CreatedAt     time.Time
	LastSeenAt    time.Time
	ExpiresAt     time.Time      // the deadline; moving it gives the session a lifetime of its own
	IdleExpiresAt time.Time      // when it ends without further use; zero without an idle timeout
	Data          map[string]any // nil is the same as empty

	current *core.Session
	shown   time.Time // ExpiresAt as it was shown
	proven  bool      // the visitor's own: made for it, or its cookie was shown
}

// Size returns the bytes of all data as it was loaded or last saved.
func (s *Session) Size() int { return s.current.Size() }

// Put is Data[name] = v; with hosts.Put, v may be a struct.
func (s *Session) Put(name string, v any) error {
	if s.Data == nil {
		s.Data = map[string]any{}
	}
	s.Data[name] = v
	return nil
}

// Get returns Data[name], or ErrNoValue; with hosts.Get, as the type wanted.
func (s *Session) Get(name string) (any, error) {
	v, ok := s.Data[name]
	if !ok {
		return nil, ErrNoValue
	}
	return v, nil
}

// show fills in a Session from what the core holds.
func (m *Manager) show(c *core.Session) (*Session, error) {
	s := &Session{current: c, Data: make(map[string]any, c.Len())}
	m.showFields(s)
	for _, name := range c.Names() {
		raw, _ := c.Value(name)
		v, err := core.DecodeValue(raw)
		if err != nil {
			return nil, fmt.Errorf("session %v, value %q: %w", c.ID(), name, err)
		}
		s.Data[name] = v
	}
	return s, nil
}

func (m *Manager) showFields(s *Session) {
	c := s.current
	s.ID, s.TenantID, s.UserID = c.ID(), c.Tenant(), c.User()
	s.IPAddress, s.UserAgent = addressText(c.IP()), c.UserAgent()
	s.LastIPAddress, s.LastUserAgent = addressText(c.LastIP()), c.LastUserAgent()
	s.CreatedAt, s.LastSeenAt, s.ExpiresAt = c.CreatedAt().Time(), c.SeenAt().Time(), c.Deadline().Time()
	s.shown = s.ExpiresAt
	if m.machine.Policy().IdleTimeout != 0 {
		s.IdleExpiresAt = c.ExpiresAt().Time()
	}
}

// apply puts what the program did to s into a copy of the core's session: what
// is refused changes nothing.
func (m *Manager) apply(s *Session) (*core.Session, error) {
	c := s.current.Clone()
	if s.UserID != c.User() {
		if s.UserID == "" {
			return nil, fmt.Errorf("session %v: UserID cannot be emptied; Destroy the session to sign %q out: %w", s.ID, c.User(), core.ErrBadUser)
		}
		if err := c.Login(s.UserID, 0); err != nil {
			return nil, fmt.Errorf("session %v: UserID: %w", s.ID, err)
		}
	}
	if !s.ExpiresAt.Equal(s.shown) {
		if err := c.SetLifetime(core.TimeOf(s.ExpiresAt) - m.now()); err != nil {
			return nil, fmt.Errorf("session %v: ExpiresAt %v: %w", s.ID, s.ExpiresAt.UTC().Format(time.RFC3339), err)
		}
	}
	names, encoded, err := encodeData(s.Data)
	if err != nil {
		return nil, err
	}
	if old := s.current; old.User() != "" && old.User() != c.User() {
		// Another user's session begins: what s shows of the old one stays there.
		names = slices.DeleteFunc(names, func(name string) bool {
			value, ok := old.Value(name)
			return ok && bytes.Equal(value, encoded[name])
		})
	}
	return c, applyData(c, names, encoded)
}

// encodeData returns the names in order, so that of several values which are
// refused always the same one is reported.
func encodeData(data map[string]any) (names []string, encoded map[string][]byte, err error) {
	names = slices.Sorted(maps.Keys(data))
	encoded = make(map[string][]byte, len(data))
	for _, name := range names {
		if encoded[name], err = values.Encode(name, data[name]); err != nil {
			return nil, nil, err
		}
	}
	return names, encoded, nil
}

// applyData makes the named values all of c's. What shrinks goes before what
// grows, so that values which fit together are never too large on the way.
func applyData(c *core.Session, names []string, encoded map[string][]byte) error {
	for _, name := range c.Names() {
		if _, ok := encoded[name]; !ok {
			if err := c.DeleteValue(name); err != nil {
				return err
			}
		}
	}
	for _, grows := range []bool{false, true} {
		for _, name := range names {
			old, _ := c.Value(name)
			if len(encoded[name]) > len(old) != grows || bytes.Equal(encoded[name], old) {
				continue
			}
			if err := c.SetValue(name, encoded[name]); err != nil {
				return fmt.Errorf("session %v, value %q: %w", c.ID(), name, err)
			}
		}
	}
	return nil
}

// adopt makes s show what was stored: also what other requests stored
// meanwhile under other names.
func (m *Manager) adopt(s *Session, next *core.Session) error {
	s.current = next
	fresh, err := m.show(next)
	if err != nil {
		return err
	}
	for name := range s.Data {
		if _, ok := fresh.Data[name]; !ok {
			delete(s.Data, name)
		}
	}
	if s.Data == nil {
		s.Data = fresh.Data
	}
	for name, v := range fresh.Data {
		s.Data[name] = v
	}
	m.showFields(s)
	return nil
}

// Create returns a new session for the request in ctx, with an ID of its own
// and the full lifetime. Nothing is stored before Save. It does not touch a
// session that the visitor already has: to sign in, prefer Login.
func (m *Manager) Create(ctx context.Context) (*Session, error) {
	q, x := requestOf(ctx)
	if x != nil {
		defer x.lock()()
		q = m.beginning(x)
	}
	c := m.machine.New(q)
	seed, err := m.seed(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.Keep(seed); err != nil {
		return nil, err
	}
	if x != nil {
		x.created = c
		x.waiting.own = time.Time{} // the visitor goes on: they wait for nothing
	}
	now := m.now().Time()
	expires := now.Add(time.Duration(m.machine.Policy().Lifetime) * time.Millisecond)
	return &Session{ID: c.ID(), TenantID: q.Tenant, IPAddress: addressText(q.IP), UserAgent: q.UserAgent,
		LastIPAddress: addressText(q.IP), LastUserAgent: q.UserAgent, CreatedAt: now, LastSeenAt: now,
		ExpiresAt: expires, shown: expires, Data: map[string]any{}, current: c, proven: true}, nil
}

// GetSessionFromCookie returns the visitor's session, and notes its use. The
// error is a refusal (core.ErrNoCookie, core.ErrExpired and so on: answer 401)
// or wraps ErrUnavailable or ErrBusy (answer 503).
func (m *Manager) GetSessionFromCookie(ctx context.Context) (*Session, error) {
	x := RequestFrom(ctx)
	if x == nil {
		return nil, fmt.Errorf("no request to read a session cookie from: pass the *hosts.Request as the context")
	}
	defer x.lock()()
	// Data is a map, which does not know what is read: it is never of a cache.
	if err := m.Reread(x); err != nil {
		return nil, err
	}
	c, err := x.current, error(nil)
	if c == nil {
		x.asks = true
		c, err = m.Resume(x)
		x.asks = false
	}
	if err != nil {
		return nil, err
	}
	if c, err = m.Commit(x, c); err != nil { // with what the middleware's session did
		return nil, err
	}
	if c.State() != core.StateActive {
		return nil, cmp.Or(x.refused, error(core.ErrNotFound))
	}
	return m.showProven(c)
}

// showProven shows the visitor's own session.
func (m *Manager) showProven(c *core.Session) (*Session, error) {
	s, err := m.show(c.Clone()) // the request's own may change
	if err != nil {
		return nil, err
	}
	s.proven = true
	return s, nil
}

// Load returns a session by its ID, for programs rather than visitors: no
// secret is proven, so SetCookie cannot be used on it. A request in ctx
// confines it to its tenant.
func (m *Manager) Load(ctx context.Context, id core.ID) (*Session, error) {
	c, err := m.byID(ctx, id)
	if err != nil {
		return nil, err
	}
	return m.show(c)
}

// Save stores the session. Changes of other requests under other names stay;
// under the same name the later Save wins, unless Merge or Exclusive say
// otherwise. Afterwards s shows what is stored. The error is core.ErrEnded or
// core.ErrSuperseded when the session is no longer there for this request,
// core.ErrConflict for an Exclusive name, a refusal of a field or value, or of
// the store: ErrUnavailable, ErrBusy, ErrFull, or ErrUnknown, after which a new
// session is given up, as it may have been stored and ended.
func (m *Manager) Save(ctx context.Context, s *Session) error {
	return m.saveAfter(ctx, s, func(*core.Session) error { return nil })
}

// saveAfter does one thing more to the session before it is stored.
func (m *Manager) saveAfter(ctx context.Context, s *Session, do func(*core.Session) error) error {
	if s == nil || s.current == nil {
		return errors.New("session is nil, or was not made by this package: use Create, Load or GetSessionFromCookie")
	}
	x := RequestFrom(ctx)
	defer x.lock()()
	if s.current.State() == core.StateEnded || x.hasEnded(s.ID) {
		return fmt.Errorf("save session %v: %w", s.ID, core.ErrEnded)
	}
	before := s.current.ID()
	c, err := m.apply(s)
	if err != nil {
		return err
	}
	if err := do(c); err != nil {
		return err
	}
	visitor := x // of whose request it is, if the session is theirs
	if !s.proven {
		visitor = nil
	}
	if err := m.makeRoom(ctx, visitor, s.current, c); err != nil {
		return err
	}
	e, err := m.commit(ctx, c, nil)
	if err != nil {
		m.conflicted(x, c, err)
		if errors.Is(err, ErrUnknown) && c.State() == core.StateNew {
			s.current.End() // it may have been stored and ended: nobody brings it back
		}
		return err
	}
	m.tellDeeds(x, &e)
	if err := m.loggedIn(ctx, visitor, c, &e); err != nil {
		s.current.End()
		return err
	}
	if err := m.adopt(s, e.Next); err != nil {
		return err
	}
	if x == nil || !s.proven {
		return nil
	}
	return m.hold(x, before, &e)
}

// stand puts a session that was stored in the place of the request's own, and
// of what it was before the save. What the middleware's session has changed and
// not stored goes on from it.
func (m *Manager) stand(x *Request, before core.ID, e *core.Effects) {
	switch own := x.current; {
	case own == nil:
		x.current = e.Next
	case own.ID() != before || e.Save == nil:
	case own.State() == core.StateActive && own.Changed() && e.Save.ID == before:
		m.goOn(x, e.Save)
	default:
		x.current = e.Next
	}
}
