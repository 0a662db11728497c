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
// others once a minute, for all requests and with any logger.
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

// unavailable wraps every failure of a store in ErrUnavailable, except those that
// say more, and reports it to the operator. A zero id is for calls that concern no
// session in particular.
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

// storeFailed counts a failure, and reports it if none was reported for a minute. A
// cancelled call says nothing about the store.
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

// reportOutage reports the failures since the last report.
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
