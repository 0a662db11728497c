package hosts

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rockstar-web/sessions/core"
)

// MaxCredentialsCache is the longest Config.CredentialsCache.
const MaxCredentialsCache = time.Hour

// maxKnown is for how many users answers of Config.Credentials are kept. Beyond it
// some of them are asked for again.
const maxKnown = 10_000

// Errors of the credentials of users.
var (
	// ErrCredentials: Config.Credentials failed, so that it is not known whether the
	// user is still who they were. It is ErrUnavailable, too, and ends no session.
	ErrCredentials = error(&remark{"the credentials of a user cannot be checked", ErrUnavailable})
	// ErrNoStamp: with Config.Credentials a login needs the stamp of the credentials that
	// the program has verified. Read afterwards it may be that of a new password.
	ErrNoStamp = fmt.Errorf("a login needs a stamp, since Config.Credentials is set: call LoginWith with hosts.Login{Stamp: core.NewSecret(...)}, made of the row that the password was checked against")
)

// remark is an error with a text of its own that is another one, too.
type remark struct {
	text string
	is   error
}

func (e *remark) Error() string { return e.text }
func (e *remark) Unwrap() error { return e.is }

// credentials asks the application for the stamps of its users.
type credentials struct {
	ask func(ctx context.Context, tenant, user string) (string, error)
	ttl core.Time

	mu    sync.Mutex
	known map[userOf]answered // at most maxKnown
}

type userOf struct{ tenant, user string }

type answered struct {
	stamp string
	at    core.Time // when it was asked for
	began time.Time // the same, by a clock that nobody sets
}

func (c *Config) checkCredentials() error {
	switch {
	case c.CredentialsCache < 0 || c.CredentialsCache > MaxCredentialsCache:
		return fmt.Errorf("session config: %w", &ConfigError{Field: "CredentialsCache", Value: c.CredentialsCache.String(), Allowed: "0 (off) to " + MaxCredentialsCache.String()})
	case c.CredentialsCache > 0 && c.Credentials == nil:
		return fmt.Errorf("session config: %w", &ConfigError{Field: "CredentialsCache", Value: c.CredentialsCache.String(), Allowed: "0 without Credentials: there is nothing to keep"})
	}
	return nil
}

// remembered returns an answer that is not too old, by the manager's clock and by the
// monotonic one: the first may be set back, and the second stands still while the machine
// sleeps.
func (c *credentials) remembered(who userOf, now core.Time) (string, bool) {
	if c.ttl == 0 {
		return "", false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	a, ok := c.known[who]
	if !ok || now < a.at || now-a.at >= c.ttl || core.Milliseconds(time.Since(a.began)) >= c.ttl {
		return "", false
	}
	return a.stamp, true
}

// remember keeps an answer, unless one is there that was asked for later.
func (c *credentials) remember(who userOf, a answered, now core.Time) {
	if c.ttl == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	old, ok := c.known[who]
	if ok && old.at > a.at && old.at <= now {
		return
	}
	if !ok && len(c.known) >= maxKnown {
		for other := range c.known { // any
			delete(c.known, other)
			break
		}
	}
	if c.known == nil {
		c.known = map[userOf]answered{}
	}
	c.known[who] = a
}

// OfSession is for keys of a context that lead to the session of a request. Functions
// of the application that are called while the session is held find nothing by them.
type OfSession interface{ OfSession() }

// OfSession implements that interface.
func (RequestKey) OfSession() {}

// apart is the context of a request without its session.
type apart struct{ context.Context }

// Value hides the session.
func (c apart) Value(key any) any {
	if _, ok := key.(OfSession); ok {
		return nil
	}
	return c.Context.Value(key)
}

// StampOf asks Config.Credentials for the stamp of a user; it returns an empty one
// where there is no such function. Programs need not call it: a login is given the stamp of what
// they have verified. Its error is ErrCredentials.
func (m *Manager) StampOf(ctx context.Context, tenant, user string) (string, error) {
	c := &m.credentials
	if c.ask == nil {
		return "", nil
	}
	now, began := m.now(), time.Now()
	stamp, err := c.ask(apart{ctx}, tenant, user)
	if err == nil && len(stamp) > core.MaxStamp {
		err = fmt.Errorf("a stamp of %d bytes: %w", len(stamp), core.ErrStamp)
	}
	if err != nil {
		failed := fmt.Errorf("%w: Config.Credentials: %v", ErrCredentials, err) // not to be taken for a refusal, whatever it wraps
		if ctx.Err() == nil || !errors.Is(err, ctx.Err()) {                     // else the visitor has left
			m.storeFailed(failed)
		}
		return "", failed
	}
	c.remember(userOf{tenant, user}, answered{stamp, now, began}, m.now())
	return stamp, nil
}

// vouched reports whether the credentials of a session's user are those that it was
// signed in with. Only a new answer says no. A session without a stamp adopts it.
// anew asks in any case.
func (m *Manager) vouched(ctx context.Context, s *core.Session, anew bool) (bool, error) {
	if !anew && s.Stamped() {
		if stamp, ok := m.credentials.remembered(userOf{s.Tenant(), s.User()}, m.now()); ok && s.HasStamp(stamp) {
			return true, nil
		}
	}
	stamp, err := m.StampOf(ctx, s.Tenant(), s.User())
	switch {
	case err != nil:
		return false, err
	case stamp != "" && !s.Stamped():
		return true, s.Adopt(stamp)
	}
	return s.HasStamp(stamp), nil
}
