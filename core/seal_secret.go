package core

import "slices"

// Secret is bytes that are not to be seen, such as a key. They lie behind two
// pointers, so that whatever prints a value which holds a Secret, in an unexported
// field too, shows an address at most; Bytes is the only way to them. One pointer
// is not enough: fmt follows it for a verb that does not fit, such as %s.
type Secret struct{ at **[]byte }

// NewSecret keeps a copy of bytes or text.
func NewSecret[T ~string | ~[]byte](given T) Secret {
	if len(given) == 0 {
		return Secret{}
	}
	b := new([]byte)
	*b = slices.Clone([]byte(given))
	return Secret{&b}
}

// Bytes returns what is kept, which is not to be changed; nil if nothing is.
func (s Secret) Bytes() []byte {
	if s.at == nil {
		return nil
	}
	return **s.at
}

// IsZero reports whether nothing is kept.
func (s Secret) IsZero() bool { return s.at == nil }

// String says whether something is kept, and not what.
func (s Secret) String() string {
	if s.at == nil {
		return "no secret"
	}
	return "secret"
}

// GoString is String, for %#v.
func (s Secret) GoString() string { return s.String() }

// MarshalText is String, for JSON and logs.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// hidden is 32 bytes behind two pointers, as those of a Secret are; nil is none.
type hidden **[32]byte

// vault has the bytes of one hidden, and what points to them, in one allocation.
type vault struct {
	at    *[32]byte
	bytes [32]byte
}

func (v *vault) hide(secret [32]byte) hidden {
	v.bytes = secret
	v.at = &v.bytes
	return &v.at
}

func hide(secret [32]byte) hidden { return new(vault).hide(secret) }

// shown returns the bytes for reading.
func shown(h hidden) *[32]byte {
	if h == nil {
		return new([32]byte)
	}
	return *h
}
