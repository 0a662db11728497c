package wazero_test

import (
	"context"
	"errors"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/wazero"
	"github.com/rockstar-web/sessions/internal/soak"
)

const now core.Time = 500_000 * core.Hour

var (
	testKey = core.NewSecret("9f3c1a7be2d840566b0e9d17c4a5f2381d6e7b90a1c3f54e28b7d60c9ea41f53")
	newKey  = core.NewSecret("7c1f0e9a52d3b84667e0a1c9d45f3b28906dfa1e37c25b8841f9e07ad63c8b15")
	ring    = core.KeyRing{{Bytes: testKey}}
	visitor = core.Request{IP: "\x7f\x00\x00\x01", UserAgent: "Mozilla/5.0 (X11; Linux x86_64)"}
)

func newEngine(t testing.TB, o wazero.Options) *wazero.Engine {
	t.Helper()
	e, err := wazero.New(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, e.Close()) })
	return e
}

func configured(t testing.TB, e *wazero.Engine, p core.Policy) hosts.Engine {
	t.Helper()
	m, err := e.Configure(p, ring)
	require.NoError(t, err)
	return m
}

// stored is a session of alice with five values.
func stored(t testing.TB, m hosts.Engine) (core.Record, []string) {
	s := m.New(visitor)
	require.NoError(t, s.Login("alice", 0))
	for _, name := range []string{"a", "bb", "ccc", "dddd", "eeeee"} {
		v, err := core.AppendValue(nil, "the value of "+name)
		require.NoError(t, err)
		require.NoError(t, s.SetValue(name, v))
	}
	e, err := m.Commit(s, now, core.Seed{1})
	require.NoError(t, err)
	return *e.Save, e.Cookies
}

// read is a request that only reads.
func read(m hosts.Engine, r core.Record, cookies []string, at core.Time) error {
	tickets, err := m.Identify(cookies, "", at)
	if err != nil {
		return err
	}
	s, err := m.Resume(tickets[0], r, visitor, at)
	if err != nil {
		return err
	}
	_, err = m.Commit(s, at, core.Seed{2})
	return err
}

// Mixed requests of one instance: its memory stays below 4 MiB, or it would be
// dropped. The benchmark goes on to a million.
func TestMemoryStaysFlat(t *testing.T) {
	e := newEngine(t, wazero.Options{Pages: 64})
	mixed(t, configured(t, e, core.Policy{}), soak.Rounds(t, 10_000, 200_000))
	require.Equal(t, wazero.Stats{Idle: 1}, e.Stats(), "one instance, and it was never dropped")
}

// mixed makes requests of all kinds.
func mixed(t testing.TB, m hosts.Engine, requests int) {
	r, cookies := stored(t, m)
	for n := range requests {
		switch n % 10 {
		case 0:
			_, err := m.Identify([]string{"rockstar_session=forged"}, "", now)
			require.ErrorIs(t, err, core.ErrMalformed)
		case 1:
			tickets, err := m.Identify(cookies, "", now)
			require.NoError(t, err)
			s, err := m.Resume(tickets[0], r, visitor, now)
			require.NoError(t, err)
			require.NoError(t, s.SetValue("n", []byte{byte(n % 24)}))
			_, err = m.Commit(s, now, core.Seed{byte(n), byte(n >> 8), 1})
			require.NoError(t, err)
		default:
			require.NoError(t, read(m, r, cookies, now))
		}
	}
}

func TestManyAtOnce(t *testing.T) {
	e := newEngine(t, wazero.Options{Idle: 2})
	m := configured(t, e, core.Policy{})
	r, cookies := stored(t, m)
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for range 50 {
				if err := read(m, r, cookies, now); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	s := e.Stats()
	require.LessOrEqual(t, s.Idle, 2)
	require.Zero(t, s.Busy)
	require.Zero(t, s.Dropped)
}

// Keys are replaced while requests run: each gets the answer of one ring.
func TestKeysAreReplacedWhileRequestsRun(t *testing.T) {
	e := newEngine(t, wazero.Options{})
	old := configured(t, e, core.Policy{})
	r, cookies := stored(t, old)
	later, err := e.Configure(core.Policy{}, core.KeyRing{{Bytes: testKey}, {Bytes: newKey, SealFrom: now}})
	require.NoError(t, err)
	alone, err := e.Configure(core.Policy{}, core.KeyRing{{Bytes: newKey}})
	require.NoError(t, err)
	var all sync.WaitGroup
	for i := range 6 {
		all.Go(func() {
			for range 30 {
				switch i % 3 {
				case 0:
					if err := read(old, r, cookies, now); err != nil && !errors.Is(err, hosts.ErrClosed) {
						t.Error(err)
					}
				case 1:
					if err := read(later, r, cookies, now); err != nil {
						t.Error(err)
					}
				default:
					if err := read(alone, r, cookies, now); !errors.Is(err, core.ErrUnknownKey) {
						t.Error(err)
					}
				}
			}
		})
	}
	require.NoError(t, old.(*wazero.Machine).Close())
	all.Wait()
	require.ErrorIs(t, read(old, r, cookies, now), hosts.ErrClosed)
	require.NoError(t, old.(*wazero.Machine).Close())
	require.NoError(t, read(later, r, cookies, now-core.Hour), "the clock goes backwards")
}

func TestClosingWhileCallsRun(t *testing.T) {
	e, err := wazero.New(t.Context(), wazero.Options{})
	require.NoError(t, err)
	m := configured(t, e, core.Policy{})
	r, cookies := stored(t, m)
	var all sync.WaitGroup
	running := make(chan struct{}, 8)
	for range 8 {
		all.Go(func() {
			for n := 0; ; n++ {
				if n == 3 {
					running <- struct{}{}
				}
				if err := read(m, r, cookies, now); err != nil {
					if !errors.Is(err, hosts.ErrClosed) {
						t.Error(err)
					}
					return
				}
			}
		})
	}
	for range 8 {
		<-running
	}
	require.NoError(t, e.Close())
	all.Wait()
	require.NoError(t, e.Close())
	_, err = e.Configure(core.Policy{}, ring)
	require.Error(t, err)
}

func TestBusyAndBadOptions(t *testing.T) {
	for field, o := range map[string]wazero.Options{
		"Pages": {Pages: 1<<16 + 1}, "Timeout": {Timeout: -1}, "Idle": {Idle: 9, Most: 8}, "Most": {Most: -1},
	} {
		_, err := wazero.New(t.Context(), o)
		var refused *hosts.ConfigError
		require.ErrorAs(t, err, &refused, field)
		require.Equal(t, field, refused.Field)
	}
	e := newEngine(t, wazero.Options{Most: 3, Pages: 1 << 16}) // no more wait idle, and no instance is full
	_, err := e.Configure(core.Policy{}, ring)
	require.NoError(t, err)
	require.Equal(t, wazero.Stats{Idle: 1}, e.Stats())
	_, err = e.Configure(core.Policy{CookieName: "a b"}, ring)
	var policy *core.PolicyError
	require.ErrorAs(t, err, &policy)
	_, err = e.Configure(core.Policy{}, nil)
	require.ErrorIs(t, err, core.ErrNoKey)
}

func TestCacheAndNoGoroutineIsLeft(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		e, err := wazero.New(context.Background(), wazero.Options{CacheDir: dir, Timeout: time.Minute})
		require.NoError(t, err)
		m := configured(t, e, core.Policy{})
		r, cookies := stored(t, m)
		require.NoError(t, read(m, r, cookies, now))
		require.NoError(t, e.Close())
	}
	kept, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.NotEmpty(t, kept)
	for end := time.Now().Add(10 * time.Second); strings.Contains(stacks(), "hosts/wazero.("); runtime.Gosched() {
		require.True(t, time.Now().Before(end), "a goroutine of the engine is left: %s", stacks())
	}
	_, err = wazero.New(context.Background(), wazero.Options{CacheDir: "/proc/no/such"})
	require.ErrorContains(t, err, "CacheDir")
}

var _ hosts.Engine = (*wazero.Machine)(nil)

// stacks is what every goroutine does.
func stacks() string {
	b := make([]byte, 1<<20)
	return string(b[:runtime.Stack(b, true)])
}
