package hosts

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rockstar-web/sessions/core"
)

// Session is a session as a program handles it: the guide's fields, and Data
// as a plain map. It belongs to one goroutine. Changes of Data, UserID and
// ExpiresAt take effect at Manager.Save; the other fields are only shown.
type Session struct {
	ID            core.ID
	TenantID      string
	UserID        string // setting it to another user is a login: the secret is renewed
	IPAddress     string // of the creating request
	UserAgent     string
	LastIPAddress string // of the last use that was written
	LastUserAgent string
	CreatedAt     time.Time
	LastSeenAt    time.Time
	ExpiresAt     time.Time // the deadline; moving it gives the session a lifetime of its own
	IdleExpiresAt time.Time // when it ends without further use; zero without an idle timeout
	Data          map[string]any

	current *core.Session
	shown   time.Time // ExpiresAt as it was shown
}

// Size returns the bytes of all data as it was loaded or last saved.
func (s *Session) Size() int { return s.current.Size() }

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
	s.CreatedAt, s.LastSeenAt, s.ExpiresAt = timeOf(c.CreatedAt()), timeOf(c.SeenAt()), timeOf(c.Deadline())
	s.shown = s.ExpiresAt
	if m.machine.Policy().IdleTimeout != 0 {
		s.IdleExpiresAt = timeOf(c.ExpiresAt())
	}
}

// apply puts what the program did to s into the core's session. All values are
// encoded before anything is applied, so that a refused one changes nothing.
func (m *Manager) apply(s *Session) error {
	encoded := make(map[string][]byte, len(s.Data))
	for name, v := range s.Data {
		raw, err := EncodeValue(name, v)
		if err != nil {
			return err
		}
		encoded[name] = raw
	}
	c := s.current
	if s.UserID != c.User() {
		if s.UserID == "" {
			return fmt.Errorf("session %v: UserID cannot be emptied; Destroy the session to sign %q out", s.ID, c.User())
		}
		if err := c.Login(s.UserID, 0); err != nil {
			return err
		}
	}
	if !s.ExpiresAt.Equal(s.shown) {
		if err := c.SetLifetime(core.Time(s.ExpiresAt.UnixMilli()) - m.now()); err != nil {
			return fmt.Errorf("session %v: ExpiresAt %v: %w", s.ID, s.ExpiresAt.UTC().Format(time.RFC3339), err)
		}
	}
	for _, name := range c.Names() {
		if _, ok := encoded[name]; !ok {
			if err := c.DeleteValue(name); err != nil {
				return err
			}
		}
	}
	for name, raw := range encoded {
		if err := c.SetValue(name, raw); err != nil {
			return fmt.Errorf("session %v, value %q: %w", s.ID, name, err)
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

// Create returns a new session for the exchange in ctx, with an ID of its own
// and the full lifetime. Nothing is stored before Save. It does not touch a
// session that the visitor already has: to sign in, prefer Login.
func (m *Manager) Create(ctx context.Context) (*Session, error) {
	q, x := requestOf(ctx)
	c := m.machine.New(q)
	seed, err := m.seed()
	if err != nil {
		return nil, err
	}
	if err := c.Keep(seed); err != nil {
		return nil, err
	}
	if err := c.SetLifetime(m.machine.Policy().Lifetime); err != nil {
		return nil, err
	}
	if x != nil {
		x.current = c
	}
	now := timeOf(m.now())
	expires := now.Add(time.Duration(m.machine.Policy().Lifetime) * time.Millisecond)
	return &Session{ID: c.ID(), TenantID: q.Tenant, IPAddress: addressText(q.IP), UserAgent: q.UserAgent,
		LastIPAddress: addressText(q.IP), LastUserAgent: q.UserAgent, CreatedAt: now, LastSeenAt: now,
		ExpiresAt: expires, shown: expires, Data: map[string]any{}, current: c}, nil
}

// GetSessionFromCookie returns the visitor's session, and notes its use. The
// error is a refusal (core.ErrNoCookie, core.ErrExpired and so on: answer 401)
// or wraps ErrUnavailable (answer 503).
func (m *Manager) GetSessionFromCookie(ctx context.Context) (*Session, error) {
	x := ExchangeFrom(ctx)
	if x == nil {
		return nil, fmt.Errorf("no request to read a session cookie from: pass the request's Exchange as the context")
	}
	c, err := m.Resume(x)
	if err != nil {
		return nil, err
	}
	if c, err = m.Commit(x, c); err != nil {
		return nil, err
	}
	return m.show(c)
}

// Load returns a session by its ID, for programs rather than visitors: no
// secret is proven, so SetCookie cannot be used on it. An exchange in ctx
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
// otherwise. Afterwards s shows what is stored.
func (m *Manager) Save(ctx context.Context, s *Session) error {
	if s == nil || s.current == nil {
		return errors.New("session is nil, or was not made by this package: use Create, Load or GetSessionFromCookie")
	}
	if s.current.State() == core.StateEnded {
		return fmt.Errorf("save session %v: %w", s.ID, core.ErrEnded)
	}
	if err := m.apply(s); err != nil {
		return err
	}
	x := ExchangeFrom(ctx)
	before := s.current
	e, err := m.commit(ctx, before)
	if err != nil {
		return err
	}
	m.tellDeeds(x, &e)
	if x != nil {
		x.current = e.Next
		if err := m.hold(x, &e); err != nil {
			return err
		}
	}
	return m.adopt(s, e.Next)
}

// hold leaves the cookie of a new session or login to SetCookie, and sees to it
// that it is not forgotten; every other cookie goes out with the save.
func (m *Manager) hold(x *Exchange, e *core.Effects) error {
	if e.Did&(core.DidCreate|core.DidLogin) != 0 {
		x.owed = true
		return nil
	}
	if x.Reply == nil {
		return nil
	}
	return m.reply(x, e.Cookies)
}

// ErrNoSecret means that a cookie cannot be made because the session was
// loaded by its ID, and only the browser knows its secret.
var ErrNoSecret = errors.New("session cookie cannot be set: the session was not saved or resumed in this exchange, and only the browser knows its secret")

// SetCookie sets the encrypted cookie of a saved session.
func (m *Manager) SetCookie(ctx context.Context, s *Session) error {
	if s == nil || s.current == nil {
		return ErrNoSecret
	}
	seed, err := m.seed()
	if err != nil {
		return err
	}
	cookies, err := m.machine.Cookie(s.current, m.now(), seed)
	if err != nil {
		return err
	}
	if len(cookies) == 0 {
		return ErrNoSecret
	}
	x := ExchangeFrom(ctx)
	if err := m.reply(x, cookies); err != nil {
		return err
	}
	x.owed = false
	return nil
}

// ClearCookie removes the session cookie from the browser, whatever the
// route's path.
func (m *Manager) ClearCookie(ctx context.Context) error {
	return m.reply(ExchangeFrom(ctx), m.machine.ClearCookie())
}
