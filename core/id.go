package core

import (
	"encoding/base64"
	"errors"
)

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
