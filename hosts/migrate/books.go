package migrate

import (
	"context"
	"errors"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// Bounds of one request's work.
const (
	maxRounds = 8 // of reading a marker that others change
	maxSends  = 3 // of one call: a load, a change of a marker, a delete
)

// errOver means that the old cookie is dead.
var errOver = errors.New("the session that the old cookie became has ended")

// errNothing means that there is no old session, and was none.
var errNothing = errors.New("no old session")

// books keeps the markers. Its verbs are the protocol of the package's doc.
type books struct {
	manager *hosts.Manager
	key     []byte
}

// planter makes a new session of a seed, and the record to be inserted.
type planter func(seed core.Seed) (*core.Record, error)

func (b *books) seed(token string, n nonce) core.Seed {
	return core.Seed(derive(b.key, "session", n, token))
}

// sessionID is the ID that a commit draws from the seed.
func (b *books) sessionID(token string, n nonce) (core.ID, error) {
	s := b.manager.Engine().New(core.Request{})
	err := s.Keep(b.seed(token, n))
	return s.ID(), err
}

// enter returns the nonce of the one session that an old session has become. It
// stores that by plant, if nobody has yet. planted reports that this call has.
func (b *books) enter(ctx context.Context, tenant string, old *Old, plant planter) (n nonce, planted bool, err error) {
	for range maxRounds {
		m, err := b.load(ctx, old.Token)
		if errors.Is(err, core.ErrNotFound) {
			if old.Values == nil {
				return n, false, errNothing
			}
			m = b.fresh(tenant, old).next(pending, newNonce())
			err = b.save(ctx, m, core.NoVersion)
			if errors.Is(err, core.ErrConflict) {
				continue
			}
			if err == nil {
				err = b.plant(ctx, m, m.nonce, old.Token, plant)
			}
			if errors.Is(err, core.ErrConflict) {
				continue
			}
			return m.nonce, err == nil, err
		}
		if err != nil {
			return n, false, err
		}
		if m.record.Tenant != tenant {
			return n, false, errOver
		}
		if m.state == pending {
			n, planted, err = b.help(ctx, m, old, plant)
			if errors.Is(err, core.ErrConflict) {
				continue
			}
			return n, planted, err
		}
		if m.state == closed {
			return n, false, errOver
		}
		return m.nonce, false, nil
	}
	return n, false, hosts.ErrBusy
}

// help goes on from where the request that m is of has come, or has died.
func (b *books) help(ctx context.Context, m *marker, old *Old, plant planter) (nonce, bool, error) {
	id, err := b.sessionID(old.Token, m.nonce)
	if err != nil {
		return nonce{}, false, err
	}
	_, err = b.manager.Store().Load(ctx, id)
	switch {
	case err == nil:
		return m.nonce, false, b.save(ctx, m.next(done, m.nonce), m.record.Version)
	case !errors.Is(err, core.ErrNotFound):
		return nonce{}, false, err
	case old.Values == nil: // it ended before it could move
		return nonce{}, false, errOver
	}
	own := newNonce()
	if err := b.plant(ctx, m, own, old.Token, plant); err != nil {
		return nonce{}, false, err
	}
	return own, true, b.delete(ctx, id) // the other may have stored it meanwhile, or will find out
}

// plant stores the session of a nonce and names it in the marker, in place of m.
// core.ErrConflict means that another is named.
func (b *books) plant(ctx context.Context, m *marker, own nonce, token string, plant planter) error {
	r, err := plant(b.seed(token, own))
	if err != nil {
		return err
	}
	// Once only: a second try might bring back what has ended since.
	err = b.manager.Store().Save(ctx, *r, core.NoVersion)
	stored := err == nil
	if stored {
		if err = b.save(ctx, m.next(done, own), m.record.Version); err == nil {
			return nil
		}
	}
	now, lost := b.load(ctx, token)
	switch {
	case lost != nil:
		return lost
	case now.nonce == own && now.state == done:
		return nil
	case now.record.Version == m.record.Version && (own == m.nonce || stored):
		return err // it may be named yet, and the next request goes on from here
	}
	if gone := b.delete(ctx, r.ID); gone != nil {
		return gone
	}
	return err
}

// bury closes the marker of an old session and ends what it has become. Old
// sessions that were never moved get a marker, too.
func (b *books) bury(ctx context.Context, tenant string, old *Old) error {
	for range maxRounds {
		m, err := b.load(ctx, old.Token)
		prev := core.NoVersion
		switch {
		case errors.Is(err, core.ErrNotFound) && old.Values == nil:
			return nil
		case errors.Is(err, core.ErrNotFound):
			m = b.fresh(tenant, old)
		case err != nil:
			return err
		default:
			prev = m.record.Version
			m.record.ExpiresAt = max(m.record.ExpiresAt, b.until(old))
		}
		if m.state != closed {
			err = b.save(ctx, m.next(closed, m.nonce), prev)
		}
		if errors.Is(err, core.ErrConflict) {
			continue
		}
		if err != nil || prev == core.NoVersion {
			return err
		}
		id, err := b.sessionID(old.Token, m.nonce)
		if err != nil {
			return err
		}
		return b.delete(ctx, id)
	}
	return hosts.ErrBusy
}

// shut closes an old session that was never moved, and leaves others as they are.
func (b *books) shut(ctx context.Context, tenant string, old *Old) error {
	_, err := b.load(ctx, old.Token)
	if !errors.Is(err, core.ErrNotFound) {
		return err
	}
	if old.Values == nil {
		return nil
	}
	err = b.save(ctx, b.fresh(tenant, old).next(closed, nonce{}), core.NoVersion)
	if errors.Is(err, core.ErrConflict) {
		return nil // it moves just now
	}
	return err
}

// fresh is a marker that is not stored.
func (b *books) fresh(tenant string, old *Old) *marker {
	id, now := derive(b.key, "marker", nonce{}, old.Token), b.manager.Now()
	return &marker{record: core.Record{ID: core.ID(id[:len(core.ID{})]), Tenant: tenant, CreatedAt: now, SeenAt: now, ExpiresAt: b.until(old)}}
}

func (b *books) until(old *Old) core.Time {
	return max(core.TimeOf(old.Expires), b.manager.Now()) + slack
}

func (b *books) load(ctx context.Context, token string) (*marker, error) {
	id := derive(b.key, "marker", nonce{}, token)
	for try := 1; ; try++ {
		r, err := b.manager.Store().Load(ctx, core.ID(id[:len(core.ID{})]))
		if err == nil {
			return readMarker(r)
		}
		if try == maxSends || errors.Is(err, core.ErrNotFound) || ctx.Err() != nil {
			return nil, err
		}
	}
}

// save sends the same bytes again where an answer is lost, which a store takes for
// what it is: no version comes twice.
func (b *books) save(ctx context.Context, m *marker, prev core.Version) (err error) {
	for range maxSends {
		err = b.manager.Store().Save(ctx, m.record, prev)
		if err == nil || errors.Is(err, core.ErrConflict) || ctx.Err() != nil {
			break
		}
	}
	return err
}

func (b *books) delete(ctx context.Context, id core.ID) (err error) {
	for range maxSends {
		err = b.manager.Store().Delete(ctx, id)
		if err == nil || errors.Is(err, core.ErrNotFound) {
			return nil
		}
	}
	return err
}
