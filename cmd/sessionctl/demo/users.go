package demo

import (
	"crypto/sha256"
	"crypto/subtle"
	"time"

	"github.com/rockstar-web/sessions/hosts/nethttp"
)

// rememberFor is the lifetime of a session that its user wants remembered.
const rememberFor = 30 * 24 * time.Hour

// An account stands for whatever an application keeps its users in.
type account struct {
	id       int
	password [sha256.Size]byte // a demo: use a password hash such as argon2id
	roles    []string
}

var accounts = map[string]account{
	"alice": {1001, sha256.Sum256([]byte("wonderland")), []string{"customer", "admin"}},
	"bob":   {1002, sha256.Sum256([]byte("builder")), []string{"customer"}},
}

// authenticate takes the same time for every password, and compares one also
// for a user that there is not.
func authenticate(user, password string) (account, bool) {
	a, known := accounts[user]
	given := sha256.Sum256([]byte(password))
	same := subtle.ConstantTimeCompare(given[:], a.password[:]) == 1
	return a, known && same
}

// signIn makes the visitor the user: a new secret, and the cart stays.
func (s *site) signIn(v *nethttp.Session, user string, a account, remember bool) error {
	lifetime := time.Duration(0) // the configured one
	if remember {
		lifetime = rememberFor
	}
	if err := v.Login(user, lifetime); err != nil {
		return err
	}
	for name, value := range map[string]any{
		"user_id": a.id, "roles": a.roles, "login_time": s.now(), "remember": remember,
	} {
		if err := v.Put(name, value); err != nil {
			return err
		}
	}
	return nil
}
