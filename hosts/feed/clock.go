package feed

import "time"

// Moment is a reading of a clock that only goes forward, and of the wall clock.
// The first stands still while a machine is suspended; the second jumps.
type Moment struct {
	Mono time.Duration // since an arbitrary start, the same for a whole process
	Wall time.Duration // since 1970
}

// Clock reads both clocks at once.
type Clock func() Moment

var start = time.Now()

// SystemClock is the clock of this machine.
func SystemClock() Moment {
	now := time.Now()
	return Moment{Mono: now.Sub(start), Wall: time.Duration(now.UnixNano())}
}

// within reports whether less than d has passed since the earlier moment, by both
// clocks. A wall clock that was set back by more says no, too.
func (m Moment) within(earlier Moment, d time.Duration) bool {
	wall := m.Wall - earlier.Wall
	return m.Mono-earlier.Mono < d && wall < d && wall > -d
}
