package main

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"sync"

	"github.com/rockstar-web/sessions"
	"github.com/rockstar-web/sessions/core"
)

// accounts are your table of users. The stamp of one is all that must not change under a
// session: here the hash of the password with its salt.
type accounts struct {
	mu     sync.Mutex
	hashes map[string]hash
}

type hash struct{ salt, sum []byte }

func newAccounts() *accounts {
	a := &accounts{hashes: map[string]hash{}}
	a.set("alice", "wonderland")
	return a
}

func (h hash) stamp() string {
	return hex.EncodeToString(append(h.salt[:len(h.salt):len(h.salt)], h.sum...))
}

func sum(password string, salt []byte) []byte {
	key, err := pbkdf2.Key(sha256.New, password, salt, 600_000, sha256.Size)
	if err != nil {
		panic(err) // of FIPS settings that allow no such hash
	}
	return key
}

// verify returns the stamp of the row that the password was checked against.
func (a *accounts) verify(user, password string) (sessions.Secret, bool) {
	a.mu.Lock()
	h, ok := a.hashes[user]
	a.mu.Unlock()
	if !ok || subtle.ConstantTimeCompare(sum(password, h.salt), h.sum) != 1 {
		return sessions.Secret{}, false
	}
	return core.NewSecret(h.stamp()), true
}

// set changes the password, and returns the new stamp.
func (a *accounts) set(user, password string) string {
	h := hash{salt: make([]byte, 16)}
	rand.Read(h.salt) // never fails
	h.sum = sum(password, h.salt)
	a.mu.Lock()
	a.hashes[user] = h
	a.mu.Unlock()
	return h.stamp()
}

// stamp returns an empty one for nobody.
func (a *accounts) stamp(user string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if h, ok := a.hashes[user]; ok {
		return h.stamp()
	}
	return ""
}
