package core

import (
	"encoding/base64"
	"errors"
	"time"
)

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

// ID names a session: 16 random bytes, written as 22 characters of base64url.
// It is public: the storage key, and safe in logs, lists and URLs. What proves
// that a visitor owns the session is the secret in the cookie, never the ID.
type ID [16]byte

// IDLen is the length of a written ID in characters.
const IDLen = 22

// ErrBadID means that a text is not a written session ID.
var ErrBadID = errors.New("session ID is not 22 characters of unpadded base64url")

// String returns the 22 characters of base64url.
func (id ID) String() string { return base64.RawURLEncoding.EncodeToString(id[:]) }

// IsZero reports whether the ID is not set.
func (id ID) IsZero() bool { return id == ID{} }

// ParseID reads what String wrote and nothing else: one text for each ID.
func ParseID(text string) (ID, error) {
	var id ID
	if len(text) != IDLen {
		return ID{}, ErrBadID
	}
	n, err := strictBase64.Decode(id[:], []byte(text))
	if err != nil || n != len(id) || id.IsZero() {
		return ID{}, ErrBadID
	}
	return id, nil
}

// strictBase64 refuses set trailing bits, so that no value has two spellings.
var strictBase64 = base64.RawURLEncoding.Strict()

// Version identifies one stored state of a session: 63 random bits, never 0,
// compared for equality only. A counter would repeat after a failover or a
// restore, and could not tell one's own write from another's.
type Version uint64

// NoVersion stands for "not stored yet" where a previous version is asked for.
const NoVersion Version = 0

// MarshalText lets an ID stand in JSON and in logs as String writes it.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (id *ID) UnmarshalText(text []byte) (err error) {
	*id, err = ParseID(string(text))
	return err
}
