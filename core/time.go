package core

import "time"

// Time is a moment as Unix milliseconds. It is a number, so that it crosses
// every ABI unchanged and no zone can matter; zero means "not set".
type Time int64

// TimeOf is t to the millisecond below; the zero time.Time is the zero Time.
func TimeOf(t time.Time) Time {
	if t.IsZero() {
		return 0
	}
	return Time(t.UnixMilli())
}

// Time is t in UTC; the zero Time is the zero time.Time.
func (t Time) Time() time.Time {
	if t == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(t)).UTC()
}

// String writes t as in RFC 3339 with milliseconds, in UTC: "2026-05-04T03:02:01.000Z".
func (t Time) String() string {
	if t == 0 {
		return "not set"
	}
	return t.Time().Format("2006-01-02T15:04:05.000Z07:00")
}

// Durations of a Time, in milliseconds.
const (
	Second Time = 1000
	Minute      = 60 * Second
	Hour        = 60 * Minute
	Day         = 24 * Hour
)

// Milliseconds is a duration as a Time. It rounds away from zero, so that a
// tiny negative duration is refused where a negative one is, and a tiny
// positive one is not taken for zero.
func Milliseconds(d time.Duration) Time {
	switch {
	case d > 0:
		return Time((d-1)/time.Millisecond + 1)
	case d < 0:
		return min(Time(d/time.Millisecond), -1)
	}
	return 0
}
