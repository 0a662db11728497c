package hosts

import (
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"strings"
	"unicode"

	"github.com/rockstar-web/sessions/core"
)

// leastSecret is how many bytes a secret has that a key is derived from: 32
// hexadecimal digits are 128 bits, which nobody guesses.
const leastSecret = 32

// derivation separates this use of a secret from all others (HKDF's info, RFC 5869).
const derivation = "github.com/rockstar-web/sessions: cookie key 1"

// ErrWeakSecret means that a key cannot be derived from a secret: it is short, or
// it is one that people make up. HKDF does not slow down who guesses those.
var ErrWeakSecret = errors.New("the secret is not one that was drawn at random: at least 32 bytes are needed, such as openssl rand -hex 32 prints, and no password or phrase")

// DeriveKey makes a key for Config.Key of a secret that the application has
// already, by HKDF with SHA-256 (RFC 5869): the secret's other uses learn nothing
// of the key. Passwords, phrases and examples are refused with ErrWeakSecret.
func DeriveKey(secret string) (core.Secret, error) {
	if len(secret) < leastSecret || madeUp(secret) {
		return core.Secret{}, ErrWeakSecret
	}
	key, err := hkdf.Key(sha256.New, []byte(secret), nil, derivation, core.KeyLen)
	if err != nil {
		return core.Secret{}, err
	}
	return core.NewSecret(key), nil
}

// leastDistinct is fewer different characters than 32 random hexadecimal digits
// have, but for one of a hundred thousand.
const leastDistinct = 8

// examples are parts of secrets that stand in manuals and templates.
var examples = strings.Fields("password passwort secret changeme change-me change_me change-this insecure example default your-secret your_secret your-256 your-key your-32 qwerty 12345678 01234567 abcdefgh letmein correct-horse p4ssw0rd passw0rd production 5f4dcc3b5aa765d61d8327deb882cf99 the-key-has n1pcdw3m2b1tfjhoay2ml736p2vcuc47")

// madeUp finds secrets that nobody drew at random: words, phrases, steps, and a
// pattern repeated. It cannot find all.
func madeUp(secret string) bool {
	lower := strings.ToLower(secret)
	for _, part := range examples {
		if strings.Contains(lower, part) {
			return true
		}
	}
	distinct := map[rune]bool{}
	for _, r := range lower {
		distinct[r] = true
	}
	return len(distinct) < leastDistinct || strings.ContainsFunc(secret, unicode.IsSpace) || phrase(secret) || repeated(secret)
}

// phrase reports whether three quarters of a secret are words between signs:
// letters of one case, but for the first. Digits do not part words, or random
// base64 would have such phrases now and then.
func phrase(secret string) bool {
	inWords, words := 0, 0
	for _, word := range strings.FieldsFunc(secret, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		letters := strings.IndexFunc(word, func(r rune) bool { return !unicode.IsLetter(r) }) < 0
		tail := strings.TrimLeftFunc(word[:1], unicode.IsUpper) + word[1:]
		if letters && (tail == strings.ToLower(tail) || word == strings.ToUpper(word)) {
			inWords += len(word) + 1
			words++
		}
	}
	return inWords*4 > len(secret)*3 && (words > 2 || words == 1 && inWords > len(secret))
}

// repeated reports whether a secret is one of at most half its length, again and
// again.
func repeated(secret string) bool {
	for period := 1; period <= len(secret)/2; period++ {
		if secret[period:] == secret[:len(secret)-period] {
			return true
		}
	}
	return false
}
