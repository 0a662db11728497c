package redis

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/conformance/servers"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// gets is how many reads a server has done.
func gets(t *testing.T, s *Store) int { return s.commandCalls(t, "get") + s.commandCalls(t, "mget") }

// What was loaded once is not asked for again.
func TestCacheSparesReads(t *testing.T) {
	p := start(t)
	s := open(t, p.url(), Options{Cache: time.Minute})
	r := save(t, s, newRecord(), core.NoVersion)
	requireHolds(t, s, r)
	before := gets(t, s)
	for range 100 {
		requireHolds(t, s, r)
	}
	require.Equal(t, before, gets(t, s))

	plain := open(t, p.url(), Options{})
	before = gets(t, s)
	for range 100 {
		requireHolds(t, plain, r)
	}
	require.Equal(t, before+100, gets(t, s))
}

// A process sees what it has saved and ended itself at once, in whatever
// goroutine, on one server and in a cluster.
func TestCacheSeesOwnChanges(t *testing.T) {
	for name, url := range map[string]func(testing.TB) string{"single": servers.Redis, "cluster": servers.RedisCluster} {
		t.Run(name, func(t *testing.T) {
			s := open(t, url(t), Options{Prefix: newPrefix(), Cache: time.Minute})
			t.Cleanup(func() { wipe(t, s) })
			var all sync.WaitGroup
			for range 16 {
				all.Go(func() { changeAndLook(t, s) })
			}
			all.Wait()
		})
	}
}

func changeAndLook(t *testing.T, s *Store) {
	for range 20 {
		r := newRecord()
		_, err := s.Load(background, r.ID) // so that its absence is known
		assert.ErrorIs(t, err, core.ErrNotFound)
		prev := core.NoVersion
		for range 5 {
			if !assert.NoError(t, s.Save(background, r, prev)) {
				return
			}
			var readers sync.WaitGroup
			for range 3 {
				readers.Go(func() {
					got, err := s.Load(background, r.ID)
					assert.NoError(t, err)
					assert.Equal(t, r.Version, got.Version)
				})
			}
			readers.Wait()
			prev, r = r.Version, next(r)
		}
		assert.NoError(t, s.Delete(background, r.ID))
		_, err = s.Load(background, r.ID)
		assert.ErrorIs(t, err, core.ErrNotFound)
	}
}

// What another process changes arrives, and an old state cannot be saved over it.
func TestCacheHearsOfOthers(t *testing.T) {
	p := start(t)
	s := open(t, p.url(), Options{Cache: time.Hour})
	other := open(t, p.url(), Options{})
	r := save(t, s, newRecord(), core.NoVersion)
	requireHolds(t, s, r)
	is := save(t, other, next(r), r.Version)
	eventually(t, "the save arrives", func() bool {
		got, err := s.Load(background, r.ID)
		return err == nil && got.Version == is.Version
	})
	require.ErrorIs(t, s.Save(t.Context(), next(r), r.Version), core.ErrConflict)
	require.NoError(t, other.Delete(t.Context(), r.ID))
	eventually(t, "the end arrives", func() bool {
		_, err := s.Load(background, r.ID)
		return errors.Is(err, core.ErrNotFound)
	})
	found, err := s.Find(t.Context(), everybody, core.ID{}, 10)
	require.NoError(t, err)
	require.Empty(t, found)
}

// Where the server's word does not arrive, an ended session is honoured for
// Options.Cache and no longer.
func TestCacheForgetsInTime(t *testing.T) {
	const age = time.Second
	p := start(t)
	x := newProxy(t, p.Address())
	s := open(t, "redis://"+x.address(), Options{Cache: age, Timeout: 500 * time.Millisecond})
	other := open(t, p.url(), Options{})
	r := save(t, other, newRecord(), core.NoVersion)
	began := time.Now()
	requireHolds(t, s, r)
	x.pause(true)
	require.NoError(t, other.Delete(t.Context(), r.ID))
	honoured := 0
	for time.Since(began) < 2*age {
		asked := time.Now()
		if _, err := s.Load(t.Context(), r.ID); err == nil {
			honoured++
			require.Less(t, asked.Sub(began), age+50*time.Millisecond, "an ended session is honoured for longer than Options.Cache")
		}
	}
	require.Positive(t, honoured, "the test has shown nothing")
	x.pause(false)
	eventually(t, "the store goes on", func() bool {
		_, err := s.Load(background, r.ID)
		return errors.Is(err, core.ErrNotFound)
	})
}

// The connection of the cache breaks: nothing old is left.
func TestCacheForgetsWithItsConnection(t *testing.T) {
	p := start(t)
	x := newProxy(t, p.Address())
	s := open(t, "redis://"+x.address(), Options{Cache: time.Hour})
	other := open(t, p.url(), Options{})
	r := save(t, other, newRecord(), core.NoVersion)
	requireHolds(t, s, r)
	x.cut()
	require.NoError(t, other.Delete(t.Context(), r.ID))
	eventually(t, "the break is noticed", func() bool {
		_, err := s.Load(background, r.ID)
		return errors.Is(err, core.ErrNotFound)
	})
	r = newRecord()
	eventually(t, "the same save is done", func() bool { return s.Save(background, r, core.NoVersion) == nil })
}

// A server that cannot track is refused at once, with the remedy.
func TestCacheNeedsTracking(t *testing.T) {
	p := start(t)
	p.do(t, "ACL", "SETUSER", "app", "on", ">secret", "~*", "+@all", "-client|tracking")
	_, err := Open(t.Context(), "redis://app:secret@"+p.Address(), Options{Cache: time.Second})
	require.ErrorIs(t, err, hosts.ErrUnavailable)
	require.ErrorContains(t, err, "Options.Cache")
	require.NotContains(t, err.Error(), "secret")
	work(t, open(t, "redis://app:secret@"+p.Address(), Options{}))
}

// proxy stands before a server and can hold up what it says, or cut it off.
type proxy struct {
	listener net.Listener
	mu       sync.Mutex
	conns    []net.Conn
	gate     chan struct{} // closed while bytes pass
}

func newProxy(t *testing.T, to string) *proxy {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	x := &proxy{listener: l, gate: make(chan struct{})}
	close(x.gate)
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", to)
			if err != nil {
				c.Close()
				continue
			}
			x.mu.Lock()
			x.conns = append(x.conns, c, s)
			x.mu.Unlock()
			all.Go(func() { _, _ = io.Copy(s, c); s.Close() })
			all.Go(func() { x.answer(c, s); c.Close() })
		}
	})
	t.Cleanup(func() {
		x.pause(false)
		l.Close()
		x.cut()
		all.Wait()
	})
	return x
}

func (x *proxy) answer(c, s net.Conn) {
	b := make([]byte, 4096)
	for {
		n, err := s.Read(b)
		if err != nil {
			return
		}
		x.mu.Lock()
		gate := x.gate
		x.mu.Unlock()
		<-gate
		if _, err := c.Write(b[:n]); err != nil {
			return
		}
	}
}

func (x *proxy) pause(on bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	select {
	case <-x.gate:
		if on {
			x.gate = make(chan struct{})
		}
	default:
		if !on {
			close(x.gate)
		}
	}
}

// cut breaks all connections.
func (x *proxy) cut() {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, c := range x.conns {
		c.Close()
	}
	x.conns = nil
}

func (x *proxy) address() string { return strings.TrimSpace(x.listener.Addr().String()) }
