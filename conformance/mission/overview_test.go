package mission

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

var overview = []row{
	{"01", stateLasts}, {"03", cookieShowsNothing}, {"04", sessionsEnd}, {"05", nothingReadableAtRest},
	{"06", tenantsAreApart}, {"07", lifetimeIsSet}, {"08", addressAndAgentAreShown},
}

func stateLasts(t *testing.T, b backend) {
	s := open(t, b, setup{})
	for _, style := range styles {
		ann, ben := s.browser(), s.browser()
		for n := 1.0; n <= 3; n++ {
			require.Equal(t, n, ann.post(style+"/count").is(http.StatusOK).field("n"), style)
		}
		require.Equal(t, 1.0, ben.post(style+"/count").is(http.StatusOK).field("n"), "another visitor's count")
		require.Equal(t, 4.0, ann.post(style+"/count").is(http.StatusOK).field("n"), style)
	}
}

func cookieShowsNothing(t *testing.T, b backend) {
	s := open(t, b, setup{})
	ann := s.browser()
	id := ann.login("/verbs", "ann")
	first := ann.cookie()
	opened, secret := openCookie(t, first, key, "")
	require.Equal(t, id, opened)
	raw, err := base64.RawURLEncoding.Strict().DecodeString(first)
	require.NoError(t, err)
	for _, hidden := range [][]byte{id[:], secret, []byte("ann"), key.Bytes()} {
		require.NotContains(t, string(raw), string(hidden))
		require.NotContains(t, first, string(hidden))
	}

	ann.during(func(x *hosts.Request, w http.ResponseWriter) {
		require.NoError(t, s.manager.SetCookie(x, s.session(x)))
	}).is(http.StatusOK)
	second := ann.cookie()
	require.NotEqual(t, first, second, "two cookies of one session")
	require.Len(t, second, len(first))
	for _, value := range []string{first, second} {
		require.Equal(t, id, s.browser().give(value).get("/verbs/me").is(http.StatusOK).id())
	}
	eve := s.browser()
	for i := range raw {
		raw[i] ^= 1 << (i % 8)
		a := eve.give(base64.RawURLEncoding.EncodeToString(raw)).get(styles[i%2] + "/me").is(http.StatusUnauthorized)
		require.NotEqual(t, core.ReasonNone.String(), a.field("reason"), "byte %d", i)
		raw[i] ^= 1 << (i % 8)
	}
	eve.give(base64.RawURLEncoding.EncodeToString(raw)).get("/verbs/me").is(http.StatusOK)
}

// openCookie opens a cookie as the format says, by other means than the core's:
// HKDF-SHA-256 and AES-256-GCM with the key, cookie name and tenant.
func openCookie(t *testing.T, value string, key core.Secret, tenant string) (id core.ID, secret []byte) {
	raw, err := base64.RawURLEncoding.DecodeString(value)
	require.NoError(t, err)
	head, nonce, sealed := raw[:9], raw[9:21], raw[21:]
	sum := sha256.Sum256(append([]byte("rockstar sessions key id\x00"), key.Bytes()...))
	require.Equal(t, append([]byte{1}, sum[:4]...), head[:5], "format and key ID")
	subkey, err := hkdf.Key(sha256.New, key.Bytes(), nil, "rockstar sessions v1 cookie\x00"+string(head[5:]), 32)
	require.NoError(t, err)
	block, err := aes.NewCipher(subkey)
	require.NoError(t, err)
	gcm, err := cipher.NewGCM(block)
	require.NoError(t, err)
	aad := head
	for _, field := range []string{"cookie", core.DefaultCookieName, tenant} {
		aad = append(binary.BigEndian.AppendUint16(aad[:len(aad):len(aad)], uint16(len(field))), field...)
	}
	plain, err := gcm.Open(nil, nonce, sealed, aad)
	require.NoError(t, err)
	return core.ID(plain[:16]), plain[16:48]
}

func sessionsEnd(t *testing.T, b backend) {
	c := newClock()
	s := open(t, b, setup{Config: hosts.Config{CleanupInterval: time.Millisecond, Clock: c}})
	ann, ben := s.browser(), s.browser()
	old := ann.login("/verbs", "ann")
	c.pass(2 * time.Hour)
	young := ben.login("/middleware", "ben")
	c.pass(22 * time.Hour)
	ann.get("/verbs/me").refused(core.ReasonExpired)
	ben.get("/verbs/me").is(http.StatusOK)
	c.pass(time.Minute)
	if !b.forgets {
		s.swept(2)
	}
	_, err := s.stored(old)
	require.NoError(t, err, "kept for its Retention, so that the reason can be told")
	if b.forgets {
		forgetsByItself(t, b, hosts.Config{})
		return
	}
	c.pass(time.Hour)
	s.swept(2) // by nobody's call
	_, err = s.stored(old)
	require.ErrorIs(t, err, core.ErrNotFound)
	_, err = s.stored(young)
	require.NoError(t, err)
}

func nothingReadableAtRest(t *testing.T, b backend) {
	s := open(t, b, setup{})
	ann := s.browser().from("203.0.113.77:4711")
	ann.headers["User-Agent"] = "Telltale/7"
	id := ann.login("/middleware", "user-in-clear")
	ann.visiting(func(v *nethttp.Session, w http.ResponseWriter) {
		require.NoError(t, v.Put("name-of-value", "sentinel value"))
	}).is(http.StatusOK)
	at := s.everythingStored()
	_, secret := openCookie(t, ann.cookie(), key, "")
	hash := sha256.Sum256(secret)
	for what, needle := range map[string][]byte{
		"value": []byte("sentinel value"), "name of a value": []byte("name-of-value"),
		"address": []byte("203.0.113.77"), "address in bytes": {203, 0, 113, 77}, "user agent": []byte("Telltale"),
		"secret": secret, "secret in hex": []byte(hex.EncodeToString(secret)), "hash of the secret": hash[:],
		"secret in base64": []byte(base64.RawURLEncoding.EncodeToString(secret)[:42]), "cookie": []byte(ann.cookie()), "key": key.Bytes(),
	} {
		require.NotContains(t, at, string(needle), what)
	}
	require.Contains(t, at, "user-in-clear", "the search itself finds what is in clear")
	require.Contains(t, at, string(id[:]))
	ann.visiting(func(v *nethttp.Session, w http.ResponseWriter) {
		value, err := v.Get("name-of-value")
		require.NoError(t, err)
		require.Equal(t, "sentinel value", value)
	}).is(http.StatusOK)
}

// everythingStored returns all bytes of the store: its records, its files where
// it has any, and what lies in the server where there is one.
func (s *site) everythingStored() string {
	records, err := able[hosts.Finder](s.t, s.store).Find(s.t.Context(), hosts.Query{AnyTenant: true, AnyUser: true}, core.ID{}, 1000)
	require.NoError(s.t, err)
	require.NotEmpty(s.t, records)
	var all []byte
	for _, r := range records {
		all = append(append(all, r.ID[:]...), r.Tenant+"\n"+r.User+"\n"...)
		all = append(all, r.Sealed...)
	}
	require.NoError(s.t, filepath.WalkDir(s.setup.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		all = append(append(all, path...), text...)
		return err
	}))
	return string(all) + s.inServer()
}

func tenantsAreApart(t *testing.T, b backend) {
	s := open(t, b, setup{Options: byHost})
	for _, style := range styles {
		red, blue := s.browser(), s.browser()
		red.host, blue.host = "red.example.com", "blue.example.com"
		for n := 1.0; n <= 2; n++ {
			require.Equal(t, n, red.post(style+"/count").is(http.StatusOK).field("n"))
			require.Equal(t, n, blue.post(style+"/count").is(http.StatusOK).field("n"))
		}
	}
}

func lifetimeIsSet(t *testing.T, b backend) {
	s := open(t, b, setup{Config: hosts.Config{Lifetime: 2 * time.Hour}})
	for _, style := range styles {
		ann, ben := s.browser(), s.browser()
		c := ann.post(style + "/login?user=ann").is(http.StatusOK).cookie()
		require.Equal(t, 7200, c.MaxAge, "of the manager")
		long := ben.post(style + "/login?user=ben&remember_me=true").is(http.StatusOK).cookie()
		require.Equal(t, int(month/time.Second), long.MaxAge, "of the session")
		s.clock.pass(2*time.Hour - time.Millisecond)
		ann.get(style + "/me").is(http.StatusOK)
		s.clock.pass(time.Millisecond)
		ann.get(style + "/me").refused(core.ReasonExpired)
		ben.get(style + "/me").is(http.StatusOK)
	}
}

func addressAndAgentAreShown(t *testing.T, b backend) {
	s := open(t, b, setup{})
	ann := s.browser().from("[2001:db8::7]:4711")
	ann.headers["User-Agent"] = "First/1"
	id := ann.login("/verbs", "ann")
	s.clock.pass(time.Hour)
	ann.from("198.51.100.9:80").headers["User-Agent"] = "Last/2"
	ann.get("/verbs/me").is(http.StatusOK)
	ann.during(func(x *hosts.Request, w http.ResponseWriter) {
		session := s.session(x)
		require.Equal(t, id, session.ID)
		require.Equal(t, []string{"2001:db8::7", "First/1", "198.51.100.9", "Last/2"},
			[]string{session.IPAddress, session.UserAgent, session.LastIPAddress, session.LastUserAgent})
	}).is(http.StatusOK)
	session, err := s.manager.Load(context.Background(), id)
	require.NoError(t, err)
	require.Equal(t, "2001:db8::7", session.IPAddress)
}
