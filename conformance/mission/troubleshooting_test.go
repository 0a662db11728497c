package mission

import (
	"encoding/base64"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

var troubleshooting = []row{
	{"80", forgottenSetCookie}, {"81", secureOverPlainHTTP}, {"82", keysDiffer}, {"83", zeroAndNegativeLifetime},
	{zoneRow, zonesChangeNothing}, {"85", cleanupSparesTheLive}, {"86", decryptErrors}, {"87", damagedCookies}, {"88", memoryIsSeen},
}

func forgottenSetCookie(t *testing.T, b backend) {
	s := open(t, b, setup{})
	ann := s.browser()
	ann.visiting(func(v *nethttp.Session, w http.ResponseWriter) { require.NoError(t, v.Put("cart", "book")) }).is(http.StatusOK).cookie()
	ann.get("/middleware/me").is(http.StatusOK)
	s.browser().login("/verbs", "ben")
	require.NotContains(t, s.log.String(), "WARN")
	var id core.ID
	forget := func(x *hosts.Request, w http.ResponseWriter) {
		session, err := s.manager.Create(x)
		require.NoError(t, err)
		require.NoError(t, s.manager.Save(x, session))
		id = session.ID
	}
	carl := s.browser()
	require.Empty(t, carl.during(forget).is(http.StatusOK).cookies())
	require.Contains(t, s.log.String(), "call SetCookie")
	require.Contains(t, s.log.String(), id.String())
	s.browser().call("/call", s.mw.Handler(s.by(forget)).ServeHTTP).is(http.StatusOK)
	require.Equal(t, 2, strings.Count(s.log.String(), "call SetCookie"))
}

func secureOverPlainHTTP(t *testing.T, b backend) {
	const remedy = "AllowInsecure"
	s := open(t, b, setup{plain: true})
	for _, style := range append(styles, styles...) {
		ann := s.browser()
		ann.post(style + "/login?user=ann").is(http.StatusOK)
		ann.get(style + "/me").refused(core.ReasonNone) // as a browser does
	}
	require.Equal(t, 1, strings.Count(s.log.String(), remedy), s.log.String())
	require.Contains(t, s.log.String(), "level=WARN")

	for _, fine := range []setup{
		{}, {plain: true, Config: hosts.Config{AllowInsecure: true}},
		{plain: true, Options: nethttp.Options{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}}},
	} {
		s := open(t, b, fine)
		ann := s.browser()
		ann.headers["X-Forwarded-For"], ann.headers["X-Forwarded-Proto"] = "203.0.113.7", "https"
		ann.post("/verbs/login?user=ann").is(http.StatusOK)
		require.NotContains(t, s.log.String(), remedy)
	}
}

func keysDiffer(t *testing.T, b backend) {
	store := b.open(t, t.TempDir())
	s := open(t, b, setup{store: store})
	other := open(t, b, setup{store: store, Config: hosts.Config{Key: key2, Clock: s.clock}})
	for _, style := range styles {
		ann := s.browser()
		ann.login(style, "ann")
		a := ann.to(other).get(style + "/me").refused(core.ReasonUnknownKey)
		require.Contains(t, a.field("detail"), core.KeyID(key))
		require.Equal(t, core.ReasonUnknownKey, other.await(hosts.EventRefused).Reason)
	}
	other.told()
	require.Contains(t, other.log.String(), "reason=unknown_key")
	require.Contains(t, other.log.String(), core.KeyID(key), "the operator sees which key it was")
}

func zeroAndNegativeLifetime(t *testing.T, b backend) {
	s := open(t, b, setup{Config: hosts.Config{Lifetime: 0, AnonymousLifetime: 0, IdleTimeout: 0}})
	require.Equal(t, 24*60*60, s.browser().post("/verbs/login?user=ann").is(http.StatusOK).cookie().MaxAge)
	for field, c := range map[string]hosts.Config{
		"Lifetime": {Lifetime: -1}, "AnonymousLifetime": {AnonymousLifetime: -time.Hour}, "MaxLifetime": {MaxLifetime: -time.Hour},
		"IdleTimeout": {IdleTimeout: -time.Minute}, "Retention": {Retention: -time.Minute},
	} {
		refusedConfig(t, b, c, field, "-")
	}
	refusedConfig(t, b, hosts.Config{Lifetime: 401 * 24 * time.Hour}, "Lifetime", "ms")
}

// zonesChangeNothing holds the times of a session to the clock, in the zone of the process:
// TestZonesChangeNothing starts it in others.
func zonesChangeNothing(t *testing.T, b backend) {
	store, c := b.open(t, t.TempDir()), newClock()
	c.now.Store(time.Date(2031, 3, 30, 0, 30, 0, 0, time.UTC).UnixMilli()) // as summer time begins in Europe
	began := c.now.Load()
	var value string
	for range 2 {
		s := open(t, b, setup{store: store, Config: hosts.Config{Clock: c, IdleTimeout: time.Hour}})
		ann := s.browser()
		if value == "" {
			ann.login("/verbs", "ann")
			value = ann.cookie()
		}
		ann.give(value).get("/middleware/me").is(http.StatusOK)
		ann.during(func(x *hosts.Request, w http.ResponseWriter) {
			session := s.session(x)
			require.Equal(t, began, session.CreatedAt.UnixMilli())
			require.Equal(t, began+(24*time.Hour).Milliseconds(), session.ExpiresAt.UnixMilli())
		}).is(http.StatusOK)
		s.cleanup(0)
		s.stop()
		c.pass(50 * time.Minute)
	}
	c.pass(11 * time.Minute)
	open(t, b, setup{store: store, Config: hosts.Config{Clock: c, IdleTimeout: time.Hour}}).browser().give(value).get("/verbs/me").refused(core.ReasonIdle)
}

// zoneRow is the number of zonesChangeNothing in the mission's table.
const zoneRow = "84"

// TestZonesChangeNothing runs a row of every backend in processes of other zones: the zone
// of a running one is a variable that the stores' own goroutines read.
func TestZonesChangeNothing(t *testing.T) {
	for _, zone := range []string{"Etc/GMT+11", "Etc/GMT-14", "Europe/Berlin"} {
		t.Run(strings.ReplaceAll(zone, "/", " "), func(t *testing.T) {
			_, err := time.LoadLocation(zone)
			require.NoError(t, err)
			c := exec.Command(os.Args[0], "-test.v", "-test.run", "^TestMission$/.*/^"+zoneRow+"$")
			c.Env = append(os.Environ(), "TZ="+zone)
			out, err := c.CombinedOutput()
			require.NoError(t, err, "%s", out)
			require.Contains(t, string(out), "--- PASS: TestMission/sqlite/"+zoneRow)
		})
	}
}

func cleanupSparesTheLive(t *testing.T, b backend) {
	if b.forgets {
		forgetsByItself(t, b, hosts.Config{CleanupInterval: time.Millisecond, IdleTimeout: 30 * time.Minute})
		return
	}
	s := open(t, b, setup{Config: hosts.Config{CleanupInterval: time.Millisecond, IdleTimeout: 30 * time.Minute, Retention: time.Minute}})
	ann, ben := s.browser(), s.browser()
	ann.login("/verbs", "ann")
	id := ben.login("/verbs", "ben")
	for range 10 {
		s.clock.pass(29 * time.Minute)
		s.swept(2)
		ann.get("/verbs/me").is(http.StatusOK) // used all the time, swept all the time
		if r, err := s.stored(id); err == nil {
			require.GreaterOrEqual(t, r.ExpiresAt, s.clock.Now()-core.Minute)
		}
	}
	_, err := s.stored(id)
	require.ErrorIs(t, err, core.ErrNotFound)

	s.clock.pass(30*time.Minute - time.Millisecond)
	s.swept(2)
	ann.get("/verbs/me").is(http.StatusOK)
	s.clock.pass(30*time.Minute + time.Second)
	s.swept(2)
	ann.get("/verbs/me").refused(core.ReasonIdle) // told while it is retained
	s.clock.pass(time.Minute)
	s.swept(2)
	ann.get("/verbs/me").refused(core.ReasonUnknown)
}

// swept waits until n whole cleanups have begun and ended at the present time.
func (s *site) swept(n int) {
	now := s.clock.Now()
	for ended := 0; ended < n+1; { // the first may have begun before
		if s.await(hosts.EventSwept).At >= now {
			ended++
		}
	}
}

func decryptErrors(t *testing.T, b backend) {
	s := open(t, b, setup{})
	ann := s.browser()
	ann.login("/verbs", "ann")
	value := ann.cookie()
	failure := func(b *browser) (got error) {
		b.during(func(x *hosts.Request, w http.ResponseWriter) { _, got = s.manager.GetSessionFromCookie(x) }).is(http.StatusOK)
		return got
	}
	for _, c := range []struct {
		value string
		is    error
	}{{"?", core.ErrMalformed}, {flip(t, value, 1), core.ErrUnknownKey}, {flip(t, value, 80), core.ErrNotAuthentic}} {
		err := failure(s.browser().give(c.value))
		require.ErrorIs(t, err, c.is)
		require.ErrorContains(t, err, "failed to decrypt session ID")
	}
	ann.post("/verbs/logout").is(http.StatusOK)
	for _, other := range []*browser{s.browser(), s.browser().give(value)} {
		require.NotContains(t, failure(other).Error(), "decrypt")
	}
}

// flip changes one bit in a byte of a cookie's sealed form.
func flip(t *testing.T, value string, at int) string {
	raw, err := base64.RawURLEncoding.DecodeString(value)
	require.NoError(t, err)
	raw[at] ^= 4
	return base64.RawURLEncoding.EncodeToString(raw)
}

func damagedCookies(t *testing.T, b backend) {
	for _, length := range []int{1, 16, 31, 33, 64} {
		_, err := b.manager(b.open(t, t.TempDir()), hosts.Config{Key: core.NewSecret(make([]byte, length))})
		require.Error(t, err)
	}
	s := open(t, b, setup{})
	ann := s.browser()
	ann.login("/verbs", "ann")
	value := ann.cookie()
	damaged := map[string]core.Reason{
		"=":                          core.ReasonMalformed,
		"%%%":                        core.ReasonMalformed,
		value[:len(value)-1]:         core.ReasonMalformed,
		value[:40]:                   core.ReasonMalformed,
		value + "A":                  core.ReasonMalformed,
		value + "==":                 core.ReasonMalformed,
		strings.Repeat("A", 124):     core.ReasonMalformed,
		strings.Repeat("x", 4000):    core.ReasonMalformed,
		"+" + value[1:]:              core.ReasonMalformed,
		flip(t, value, 0):            core.ReasonMalformed, // format
		flip(t, value, 2):            core.ReasonUnknownKey,
		flip(t, value, 30):           core.ReasonNotAuthentic, // ciphertext
		flip(t, value, len(value)/2): core.ReasonNotAuthentic,
		flip(t, value, 92):           core.ReasonNotAuthentic, // tag
	}
	dice := rand.New(rand.NewPCG(1, 2))
	for value, why := range damaged {
		for _, style := range styles {
			s.browser().give(value).get(style + "/me").refused(why)
		}
	}
	eve := s.browser()
	for range 100 {
		junk := make([]byte, dice.IntN(300))
		for i := range junk {
			junk[i] = "abcXYZ019-_=%.!~*'()"[dice.IntN(20)]
		}
		eve.headers["Cookie"] = core.DefaultCookieName + "=" + string(junk)
		eve.get("/verbs/me").is(http.StatusUnauthorized)
	}
	eve.headers["Cookie"] = core.DefaultCookieName + "=" + value // also among bad ones
	eve.give("nonsense").get("/verbs/me").is(http.StatusOK)
	require.Empty(t, s.faults.String(), "nothing has panicked")
}

func memoryIsSeen(t *testing.T, b backend) {
	store := b.open(t, t.TempDir()).(*cachestore.Store)
	s := open(t, b, setup{store: store})
	empty := store.Stats()
	require.EqualValues(t, cachestore.LeastMaxBytes, empty.MaxBytes)
	for range 30 {
		s.browser().login("/middleware", "ann")
	}
	full := store.Stats()
	require.Equal(t, 30, full.Sessions)
	require.Greater(t, full.Bytes, empty.Bytes)
	require.LessOrEqual(t, full.Bytes, full.MaxBytes)
	ended, err := s.manager.Revoke(t.Context(), hosts.Query{User: "ann"})
	require.NoError(t, err)
	require.Equal(t, 30, ended)
	require.Zero(t, store.Stats().Sessions)
	_, err = cachestore.Open(cachestore.Options{MaxBytes: -1})
	require.ErrorContains(t, err, "MaxBytes")
}
