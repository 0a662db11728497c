package sessionstest

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/core"
)

// Clock is the time of the sessions. It begins at the present and stands still
// until the test moves it. It is a hosts.Clock, and safe for concurrent use.
type Clock struct {
	t       testing.TB
	now     atomic.Int64 // milliseconds, as core.Time
	reads   atomic.Int64
	foreign bool // the manager has another
}

// NewClock is for an application that takes a clock and no config. An App has one.
func NewClock(t testing.TB) *Clock {
	c := &Clock{t: t}
	c.now.Store(int64(core.TimeOf(time.Now())))
	return c
}

// Now returns the time of the sessions, as hosts.Config.Clock wants it.
func (c *Clock) Now() core.Time {
	c.reads.Add(1)
	return core.Time(c.now.Load())
}

// Advance moves the time on. A visitor's cookies stay, as a thief's copy would: it
// is the server that must refuse them.
func (c *Clock) Advance(d time.Duration) {
	c.t.Helper()
	if c.foreign {
		c.t.Fatal("sessionstest: the time of a wrapped middleware cannot be moved: make its manager from a config that sessionstest.Prepare has filled in")
	}
	c.now.Add(d.Milliseconds())
}
