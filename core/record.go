package core

import "unicode/utf8"

// Record is a session as a store keeps it. The clear fields are there so that
// a database can be asked; everything else, the visitor's data included, is in
// Sealed, whose authentication covers every clear field: whoever can write
// the table cannot move an expiry or give a session to somebody else.
//
// A Record's bytes are immutable from the moment it is handed to a store.
type Record struct {
	ID        ID
	Version   Version // of this state; names it in the next Save
	Tenant    string  // valid UTF-8 without control characters, at most MaxName bytes
	User      string  // the same; empty while nobody is signed in
	CreatedAt Time
	SeenAt    Time // last use that was written; never moves back
	ExpiresAt Time // the earlier of the deadline and the idle limit
	Sealed    []byte
}

// MaxName is the longest Tenant and User in bytes.
const MaxName = 255

// MaxSealed is the longest Sealed that a store must accept, in bytes: the
// largest session limit that a Policy allows, with room for its own fields.
const MaxSealed = MaxSessionSize + 16<<10

// Check reports whether the clear fields keep their bounds.
func (r *Record) Check() error {
	switch {
	case r.ID.IsZero():
		return ErrBadID
	case r.Version == NoVersion || r.Version>>63 != 0:
		return ErrBadRecord
	case !validName(r.Tenant) || !validName(r.User):
		return ErrBadName
	case len(r.Sealed) > MaxSealed:
		return ErrTooLarge
	}
	return nil
}

// validName holds Tenant and User to what every database column can keep.
func validName(s string) bool {
	if len(s) > MaxName || !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if r < 0x20 || r >= 0x7f && r < 0xa0 {
			return false
		}
	}
	return true
}
