package hosts

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rockstar-web/sessions/core"
)

// outageEvery is the time between two reports that the store fails.
const outageEvery = time.Minute

// outage counts the failures of a store, and reports the first at once and the
// others once a minute: whoever met them, and whatever the logger.
type outage struct {
	mu    sync.Mutex
	count int         // since the last report
	last  error       // of them
	timer *time.Timer // runs from a report on; nil while the store answers
	over  bool        // the manager is closed
}

// isStoreFailure finds the errors of a store that does not do what it is asked.
func isStoreFailure(err error) bool {
	return isOneOf(err, ErrUnavailable, ErrUnknown, ErrFull, ErrBusy)
}

// unavailable makes every failure of a store ErrUnavailable, but for those that
// tell more, keeps what it was, and has the operator see it. Zero is for calls
// that are of no session in particular.
func (m *Manager) unavailable(what string, id core.ID, err error) error {
	if !id.IsZero() {
		what += " " + id.String()
	}
	if isStoreFailure(err) {
		err = fmt.Errorf("%s: %w", what, err)
	} else {
		err = fmt.Errorf("%s: %w: %w", what, ErrUnavailable, err)
	}
	m.storeFailed(err)
	return err
}

// storeFailed notes a failure, and reports it where none was reported for a
// minute. A caller that left tells nothing of the store.
func (m *Manager) storeFailed(err error) {
	if errors.Is(err, context.Canceled) {
		return
	}
	m.counts.failures.Add(1)
	o := &m.outage
	o.mu.Lock()
	o.count++
	o.last = err
	now := o.timer == nil && !o.over
	if now {
		o.timer = time.AfterFunc(outageEvery, m.outageGoesOn)
	}
	o.mu.Unlock()
	if now {
		m.reportOutage()
	}
}

// goesOn reports whether the store has failed within the last minute.
func (o *outage) goesOn() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.timer != nil && !o.over
}

// outageGoesOn comes a minute after a report.
func (m *Manager) outageGoesOn() {
	o := &m.outage
	o.mu.Lock()
	more := o.count > 0 && !o.over
	if more {
		o.timer.Reset(outageEvery)
	} else {
		o.timer = nil
	}
	o.mu.Unlock()
	if more {
		m.reportOutage()
	}
}

// reportOutage tells what was noted since the last report.
func (m *Manager) reportOutage() {
	o := &m.outage
	o.mu.Lock()
	count, err := o.count, o.last
	o.count, o.last = 0, nil
	o.mu.Unlock()
	if count == 0 {
		return
	}
	m.events.logger.Error("sessions: "+string(EventFailed), "count", count, "error", err)
	m.events.emit(Event{Kind: EventFailed, Count: count, Err: err, At: m.now()})
}

// endOutage reports what is left before the manager closes.
func (m *Manager) endOutage() {
	o := &m.outage
	o.mu.Lock()
	o.over = true
	if o.timer != nil {
		o.timer.Stop()
	}
	o.mu.Unlock()
	m.reportOutage()
}
