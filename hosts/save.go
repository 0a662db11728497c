package hosts

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/rockstar-web/sessions/core"
)

// Bounds of what is tried again within CommitTimeout.
const (
	maxResends = 4                      // of a save or delete whose answer was lost
	firstPause = 2 * time.Millisecond   // before the second try, doubled and jittered
	longPause  = 200 * time.Millisecond // no pause is longer
)

// attempt commits s once, without rebasing.
func (m *Manager) attempt(ctx context.Context, s *core.Session) (core.Effects, error) {
	seed, err := m.seed()
	if err != nil {
		return core.Effects{}, err
	}
	e, err := m.machine.Commit(s, m.now(), seed)
	if err != nil {
		return core.Effects{}, err
	}
	if !e.Delete.IsZero() {
		if err := m.remove(ctx, e.Delete); err != nil {
			return core.Effects{}, err
		}
	}
	if e.Save == nil {
		return e, nil
	}
	err = m.save(ctx, &e)
	if e.Touch && err != nil {
		// On a conflict another request noted the use, or ended the session;
		// else the note is lost. This request changed nothing: it goes on,
		// without a cookie.
		if !errors.Is(err, core.ErrConflict) {
			m.warnTouch(err)
		}
		return core.Effects{Next: s}, nil
	}
	if err != nil {
		return core.Effects{}, err
	}
	return e, nil
}

// warnTouch reports that uses are not noted, at most once a minute.
func (m *Manager) warnTouch(err error) {
	now, last := int64(m.now()), m.touchWarned.Load()
	if now-last >= int64(core.Minute) && m.touchWarned.CompareAndSwap(last, now) {
		m.events.warn("the use of sessions cannot be noted, so that they may idle out; requests go on", "error", err)
	}
}

// remove deletes for good. It is idempotent, so a lost answer is asked again.
func (m *Manager) remove(ctx context.Context, id core.ID) error {
	for try := 0; ; try++ {
		err := m.store.Delete(ctx, id)
		if err == nil || errors.Is(err, core.ErrNotFound) {
			return nil
		}
		if try == maxResends || !pause(ctx, try) {
			return unavailable("end session", id, err)
		}
	}
}

// save stores e.Save exactly once, or tells that it did not, or cannot tell.
func (m *Manager) save(ctx context.Context, e *core.Effects) error {
	doubt := false // an answer was lost: the save may have been applied
	for try := 0; ; try++ {
		err := m.store.Save(ctx, *e.Save, e.Prev)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, core.ErrConflict):
			if !doubt {
				return core.ErrConflict
			}
			done, again, err := m.settle(ctx, e)
			if done || !again {
				return err
			}
		case refusedBefore(err) && !doubt:
			return unavailable("save session", e.Save.ID, err)
		default:
			doubt = true
		}
		if try == maxResends || !pause(ctx, try) {
			if err == nil || errors.Is(err, core.ErrConflict) {
				err = ErrUnknown
			}
			return unavailable("save session", e.Save.ID, err)
		}
	}
}

// refusedBefore finds answers that mean nothing was changed.
func refusedBefore(err error) bool {
	for _, known := range []error{ErrBusy, ErrFull, ErrClosed, core.ErrTooLarge, core.ErrBadRecord, core.ErrBadName, core.ErrBadID} {
		if errors.Is(err, known) {
			return true
		}
	}
	return false
}

// settle finds out, after a lost answer and then a conflict, whether the save
// was applied: by its version, which the record or its sealed history shows.
func (m *Manager) settle(ctx context.Context, e *core.Effects) (done, again bool, err error) {
	theirs, err := m.load(ctx, e.Save.ID)
	if errors.Is(err, core.ErrNotFound) {
		return false, false, core.ErrConflict // ended meanwhile: for Rebase to tell
	}
	if err != nil {
		return false, false, err
	}
	if e.Prev != core.NoVersion && theirs.Version == e.Prev {
		return false, true, nil
	}
	applied, known, err := m.machine.Applied(&theirs, e.Save.Version, e.Prev, m.now())
	switch {
	case err != nil:
		return false, false, err
	case applied:
		return true, false, nil
	case known:
		return false, false, core.ErrConflict
	}
	return false, false, unavailable("save session", e.Save.ID, ErrUnknown)
}

// pause waits before the next try, with jitter so that rivals part. Not ok
// means that there is no time left.
func pause(ctx context.Context, try int) bool {
	d := min(firstPause<<min(try, 16), longPause)
	t := time.NewTimer(d/2 + rand.N(d))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
