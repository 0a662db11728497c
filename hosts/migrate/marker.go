package migrate

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// slack is how much longer than the old cookie its marker lives: servers' clocks
// differ, and one that is behind may still take the cookie for live.
const slack = 2 * core.Hour

// state is what a marker says of its old cookie.
type state byte

const (
	pending state = 'p' // a session of the nonce is being stored
	done    state = 'd' // the session of the nonce is the one
	closed  state = 'c' // there is none, and there will be none
)

const nonceLen = 16

type nonce [nonceLen]byte

// marker notes what has become of an old cookie.
type marker struct {
	record core.Record
	state  state
	nonce  nonce
}

// next is the same marker in its next state.
func (m *marker) next(s state, n nonce) *marker {
	r := m.record
	var version [8]byte
	rand.Read(version[:])
	r.Version = core.Version(binary.BigEndian.Uint64(version[:])>>1 | 1)
	r.Sealed = append(append([]byte(hosts.MarkerPrefix), byte(s)), n[:]...)
	return &marker{r, s, n}
}

// readMarker reads what next wrote.
func readMarker(r core.Record) (*marker, error) {
	const at = len(hosts.MarkerPrefix)
	if !hosts.IsMarker(&r) || len(r.Sealed) != at+1+nonceLen {
		return nil, fmt.Errorf("record %v is no marker of a moved session: %w", r.ID, core.ErrCorrupt)
	}
	m := &marker{record: r, state: state(r.Sealed[at]), nonce: nonce(r.Sealed[at+1:])}
	if m.state != pending && m.state != done && m.state != closed {
		return nil, fmt.Errorf("marker %v has state %q: %w", r.ID, m.state, core.ErrCorrupt)
	}
	return m, nil
}

func newNonce() (n nonce) {
	rand.Read(n[:])
	return n
}

// deriveKey makes the key of one old cookie name.
func deriveKey(secret core.Secret, name string) []byte {
	key, err := hkdf.Key(sha256.New, secret.Bytes(), nil, "rockstar sessions move "+name, sha256.Size)
	if err != nil { // only of a length that is not asked for
		panic(err)
	}
	return key
}

// derive is HMAC-SHA-256 of the label, the nonce and the old token.
func derive(key []byte, label string, n nonce, token string) [sha256.Size]byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(label + "\x00"))
	h.Write(n[:])
	h.Write([]byte(token))
	return [sha256.Size]byte(h.Sum(nil))
}
