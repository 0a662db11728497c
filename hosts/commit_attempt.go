package hosts

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/rockstar-web/sessions/core"
)

// Bounds of what is tried again within CommitTimeout.
const (
	maxResends = 4                      // of a save or delete whose answer was lost
	firstPause = 4 * time.Millisecond   // before the third try, doubled and jittered
	longPause  = 200 * time.Millisecond // no pause is longer
)

// attempt commits s once, without rebasing.
func (m *Manager) attempt(ctx context.Context, s *core.Session) (core.Effects, error) {
	for try := 0; ; try++ {
		seed, err := m.seed(ctx)
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
			m.counts.end(e.Delete, endedBy(&e))
			if e.Trace != nil && m.store.Save(ctx, *e.Trace, core.NoVersion) == nil { // see Effects.Trace
				m.counts.traced(e.Delete)
			}
		}
		switch {
		case e.Save == nil:
			return e, nil
		case e.Touch:
			return m.touch(ctx, s, e), nil
		}
		err = m.save(ctx, &e)
		if err == nil {
			m.counts.saved(&e)
			return e, nil
		}
		// A new session that was not stored, ended already, or met another of
		// its ID: it is made anew under another ID, unless the program knows
		// this one.
		taken := errors.Is(err, core.ErrConflict)
		switch {
		case e.Prev != core.NoVersion || !taken && !errors.Is(err, errNotThere):
			return core.Effects{}, err
		case s.ID().IsZero() && try < maxResends:
		case taken:
			return core.Effects{}, m.unavailable("begin session", e.Save.ID, errTaken)
		default:
			return core.Effects{}, err
		}
	}
}

// errTaken: nothing ended and nothing was changed by others, so it is none of
// what a conflict means for a session that was loaded.
var errTaken = errors.New("the store says of every ID drawn for it that it is taken")

// touch notes the use of a session. On a conflict another request noted it, or
// ended the session; else the note is lost. The request changed nothing: it
// goes on, without a cookie.
func (m *Manager) touch(ctx context.Context, s *core.Session, e core.Effects) core.Effects {
	err := m.store.Save(TouchContext(ctx), *e.Save, e.Prev)
	if err == nil {
		m.counts.touches.Add(1)
		return e
	}
	if !errors.Is(err, core.ErrConflict) {
		m.counts.untouched.Add(1)
		_ = m.unavailable("the request goes on, but the use is not noted, so that the session may idle out: touch session", e.Save.ID, err)
	}
	return core.Effects{Next: s}
}

// untouched reports why a request that only read could not be noted, where no
// store was asked.
func (m *Manager) untouched(err error) {
	m.counts.untouched.Add(1)
	if !isStoreFailure(err) {
		m.storeFailed(fmt.Errorf("the request goes on, but the use is not noted, so that the session may idle out: %w", err))
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
			m.counts.unknown.Add(1)
			return m.unavailable("end session", id, err)
		}
		m.counts.resends.Add(1)
	}
}

// errNotThere: after a lost answer the new session is not in the store. It is
// ErrUnknown to callers, since it may have been stored and ended.
var errNotThere = fmt.Errorf("%w: it is not in the store; begin another", ErrUnknown)

// lostAnswer is ErrUnknown with what lost the answer.
func lostAnswer(lost error) error { return fmt.Errorf("%w: %w", ErrUnknown, lost) }

// save stores e.Save exactly once, or reports that it did not, or that it is not known.
func (m *Manager) save(ctx context.Context, e *core.Effects) error {
	var lost error // an answer: the save may have been applied
	prev := e.Prev
	for try := 0; ; try++ {
		err := m.store.Save(ctx, *e.Save, prev)
		switch {
		case err == nil:
			return nil
		case lost == nil && errors.Is(err, core.ErrConflict):
			return core.ErrConflict
		case lost == nil && badRecord(err):
			return fmt.Errorf("save session %v: %w", e.Save.ID, err)
		case lost == nil && refusedBefore(err):
			return m.unavailable("save session", e.Save.ID, err)
		case errors.Is(err, core.ErrConflict):
			if again, err := m.settle(ctx, e, lost); !again {
				return err
			}
		case refusedBefore(err): // which says nothing about the answer that was lost
		default:
			lost = err
			if prev == core.NoVersion {
				// Asked again as the successor of itself, it is found if it is
				// stored, and not inserted once more if it has ended since.
				prev = e.Save.Version
			}
		}
		if try == maxResends || !pause(ctx, try) {
			m.counts.unknown.Add(1)
			return m.unavailable("save session", e.Save.ID, lostAnswer(lost))
		}
		m.counts.resends.Add(1)
	}
}

// refusedBefore finds answers that mean nothing was changed.
func refusedBefore(err error) bool {
	return badRecord(err) || isOneOf(err, ErrRefused, ErrBusy, ErrFull, ErrClosed)
}

// badRecord finds refusals that are the record's fault and not the store's.
func badRecord(err error) bool {
	return isOneOf(err, core.ErrTooLarge, core.ErrBadRecord, core.ErrBadName, core.ErrBadID)
}

func isOneOf(err error, list ...error) bool {
	return slices.ContainsFunc(list, func(known error) bool { return errors.Is(err, known) })
}

// settle finds out, after a lost answer and then a conflict, whether the save
// was applied: by its version, which the record or its sealed history shows.
// Again means that it was not, and may be; or that this is not known yet.
func (m *Manager) settle(ctx context.Context, e *core.Effects, lost error) (again bool, err error) {
	theirs, err := m.load(ctx, e.Save.ID)
	switch {
	case errors.Is(err, core.ErrNotFound) && e.Prev == core.NoVersion:
		m.counts.unknown.Add(1)
		return false, m.unavailable("save session", e.Save.ID, fmt.Errorf("%w: %w", errNotThere, lost))
	case errors.Is(err, core.ErrNotFound):
		return false, core.ErrConflict // ended meanwhile: Rebase finds that out
	case errors.Is(err, core.ErrCorrupt):
		return false, err
	case err != nil:
		return true, nil
	case e.Prev != core.NoVersion && theirs.Version == e.Prev:
		return true, nil
	}
	applied, known, err := m.machine.Applied(&theirs, e.Save.Version, e.Prev, m.now())
	switch {
	case err != nil || applied:
		return false, err
	case known:
		return false, core.ErrConflict
	}
	m.counts.unknown.Add(1)
	return false, m.unavailable("save session", e.Save.ID, lostAnswer(lost))
}

// pause waits before the next try, with jitter so that rivals part. The second
// try is at once: the longer a lost answer is left, the more saves of others
// hide whether it was applied. Not ok means that there is no time left.
func pause(ctx context.Context, try int) bool {
	if try == 0 {
		return ctx.Err() == nil
	}
	d := min(firstPause<<min(try-1, 16), longPause)
	t := time.NewTimer(d/2 + rand.N(d))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
