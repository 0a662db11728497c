package hosts

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/rockstar-web/sessions/core"
)

// MostPerUser is the largest Config.MaxPerUser: each login reads so many sessions.
const MostPerUser = 1000

// ErrSessionLimit means that a login was refused because its user has as many sessions as
// Config.MaxPerUser allows, or that it has ended already because newer ones took its place.
var ErrSessionLimit = errors.New("the user has as many sessions as Config.MaxPerUser allows: they must log out elsewhere first")

// AtLimit says what happens at a login of a user who has Config.MaxPerUser sessions already.
type AtLimit uint8

// The values of AtLimit.
const (
	// EndOldest ends the sessions with the oldest login. However many log in at once, at
	// however many servers, just MaxPerUser are left: those that come last in the order of
	// login time and ID.
	EndOldest AtLimit = iota
	// EndLeastUsed ends the sessions whose last use that was written is longest ago, and
	// never the one that logs in. Of logins at the same moment one too many may stay, until
	// the next login.
	EndLeastUsed
	// Refuse refuses the login with ErrSessionLimit. There are never more than MaxPerUser.
	// Of logins at the same moment all may be refused though there was room for one.
	Refuse
)

var atLimitNames = []string{"EndOldest", "EndLeastUsed", "Refuse"}

// String returns the name of the constant.
func (a AtLimit) String() string {
	if int(a) < len(atLimitNames) {
		return atLimitNames[a]
	}
	return fmt.Sprintf("AtLimit(%d)", uint8(a))
}

func parseAtLimit(text string) (AtLimit, error) {
	for i, name := range atLimitNames {
		if strings.EqualFold(text, name) {
			return AtLimit(i), nil
		}
	}
	return 0, errors.New("unlisted")
}

// checkLimit refuses a limit that cannot be kept.
func (c *Config) checkLimit(store Store) error {
	refuse := func(field string, value any, allowed string) error {
		return fmt.Errorf("session config: %w", &ConfigError{Field: field, Value: fmt.Sprint(value), Allowed: allowed})
	}
	switch {
	case c.MaxPerUser < 0 || c.MaxPerUser > MostPerUser:
		return refuse("MaxPerUser", c.MaxPerUser, fmt.Sprintf("1 to %d sessions, or 0 for no limit", MostPerUser))
	case int(c.AtLimit) >= len(atLimitNames):
		return refuse("AtLimit", c.AtLimit, strings.Join(atLimitNames, ", "))
	case c.MaxPerUser == 0 && c.AtLimit != EndOldest:
		return refuse("AtLimit", c.AtLimit, "nothing without MaxPerUser")
	}
	if _, ok := As[Finder](store); c.MaxPerUser != 0 && !ok {
		return refuse("MaxPerUser", c.MaxPerUser, fmt.Sprintf("0 with a %T, which cannot list a user's sessions: %v", store, ErrNoFinder))
	}
	return nil
}

// makeRoom refuses a login before anything is stored, where the limit refuses logins: the
// visitor keeps the session s that they have, of which the login makes own. What keepLimit
// refuses was stored meanwhile.
func (m *Manager) makeRoom(ctx context.Context, x *Request, s, own *core.Session) error {
	if m.maxPerUser == 0 || m.atLimit != Refuse || own.User() == "" || m.has(x, s, own.User()) {
		return nil
	}
	ctx, cancel := m.lasting(ctx)
	defer cancel()
	all, err := m.liveOf(ctx, own)
	if err == nil && len(all) >= m.maxPerUser {
		err = ErrSessionLimit
	}
	return err
}

// has reports whether the visitor's session is the user's already. x may be nil.
func (m *Manager) has(x *Request, s *core.Session, user string) bool {
	return s.User() == user || x != nil && x.barred != nil && x.barred.record.User == user
}

// keepLimit ends the sessions that a stored login has made too many, which may be its own.
// Everybody has searched after their own save, so that the last to search has found all;
// failed is why the search found none.
func (m *Manager) keepLimit(ctx context.Context, x *Request, own *core.Session, all []*core.Session, failed error) error {
	if failed != nil && m.atLimit == Refuse {
		return errors.Join(failed, m.turnAway(ctx, x, own))
	}
	mine, others := false, []core.Record(nil)
	for _, s := range m.tooMany(own, all) {
		if s.ID() == own.ID() {
			mine = true
			continue
		}
		others = append(others, core.Record{ID: s.ID(), Tenant: s.Tenant(), User: s.User()})
	}
	_, _ = m.removeAll(ctx, others) // as after a search that failed: it is reported, the login stands, and the next one ends them
	if mine {
		return errors.Join(ErrSessionLimit, m.turnAway(ctx, x, own))
	}
	return nil
}

// turnAway ends the session of a login that has been stored.
func (m *Manager) turnAway(ctx context.Context, x *Request, own *core.Session) error {
	_, err := m.removeAll(ctx, []core.Record{{ID: own.ID(), Tenant: own.Tenant(), User: own.User()}})
	own.End()
	if x == nil {
		return err
	}
	x.gone(own.ID())
	m.New(x)
	if x.Reply != nil {
		err = errors.Join(err, m.reply(x, m.machine.ClearCookie(x.HTTPS)))
	}
	return err
}

// liveOf returns all live sessions of the user of own. Records that do not open are
// nobody's. With Config.Credentials those of other credentials than own are over: the next
// request ends them.
func (m *Manager) liveOf(ctx context.Context, own *core.Session) (all []*core.Session, err error) {
	ctx = LoginSearchContext(ctx)
	var after core.ID
	for range maxPasses {
		records, err := m.find(ctx, Query{Tenant: own.Tenant(), User: own.User()}, after, findPage)
		if err != nil {
			return nil, err
		}
		for _, r := range records {
			s, err := m.machine.Resume(core.ByID(r.ID), r, core.Request{AnyTenant: true}, m.now())
			if err == nil && (m.credentials.ask == nil || !own.OtherStamp(s)) {
				all = append(all, s)
			}
		}
		if len(records) < findPage {
			break
		}
		after = records[len(records)-1].ID
	}
	return all, nil
}

// tooMany returns the sessions that are to end.
func (m *Manager) tooMany(own *core.Session, all []*core.Session) []*core.Session {
	at := func(s *core.Session) core.Time {
		if s.LoginAt() > own.LoginAt()+core.MaxSkew {
			return 0 // of a clock that was set back since: else nobody could log in until then
		}
		return s.LoginAt()
	}
	switch m.atLimit {
	case Refuse:
		if len(all) > m.maxPerUser {
			return []*core.Session{own}
		}
		return nil
	case EndLeastUsed:
		at = func(s *core.Session) core.Time {
			if s.ID() == own.ID() {
				return math.MaxInt64 // comes last
			}
			return s.SeenAt()
		}
	}
	slices.SortFunc(all, func(a, b *core.Session) int {
		idA, idB := a.ID(), b.ID()
		return cmp.Or(cmp.Compare(at(a), at(b)), slices.Compare(idA[:], idB[:]))
	})
	return all[:max(0, len(all)-m.maxPerUser)]
}
