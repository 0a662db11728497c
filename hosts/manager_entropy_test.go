package hosts_test

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/stretchr/testify/require"
)

// source is a function as entropy.
type source func(p []byte) (int, error)

func (f source) Read(p []byte) (int, error) { return f(p) }

var errDrained = errors.New("the device is gone")

func TestNoSessionWithoutEntropy(t *testing.T) {
	for name, c := range map[string]struct {
		source source
		want   error
	}{
		"fails":           {func([]byte) (int, error) { return 0, errDrained }, errDrained},
		"fails in part":   {func(p []byte) (int, error) { return copy(p, "abc"), errDrained }, errDrained},
		"gives nothing":   {func([]byte) (int, error) { return 0, nil }, io.ErrNoProgress},
		"all zero":        {func(p []byte) (int, error) { clear(p); return len(p), nil }, core.ErrSeed},
		"claims too much": {func(p []byte) (int, error) { return 1 << 20, nil }, hosts.ErrUnavailable},
		"less than none":  {func(p []byte) (int, error) { return -1, nil }, hosts.ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			m := open(t, nil, hosts.Config{Entropy: c.source})
			m.issuesNothing(t, c.want)
		})
	}
}

// TestEverySessionIsDrawn: 256 bits of the source make each session, and no two
// are alike.
func TestEverySessionIsDrawn(t *testing.T) {
	var drawn int
	m := open(t, nil, hosts.Config{Entropy: source(func(p []byte) (int, error) {
		drawn += len(p)
		return rand.Read(p)
	})})
	const n = 100
	ids, cookies := map[core.ID]bool{}, map[string]bool{}
	for range n {
		b := newBrowser()
		ids[b.login(m, "ann").ID] = true
		cookies[b.value] = true
	}
	require.Len(t, ids, n)
	require.Len(t, cookies, n)
	require.GreaterOrEqual(t, drawn, n*256/8)
}

// issuesNothing says that every way to a session or a cookie fails.
func (m *site) issuesNothing(t *testing.T, want error) {
	t.Helper()
	ann := newBrowser()
	x := ann.ask(m)
	_, err := m.Create(x)
	require.ErrorIs(t, err, want)
	_, err = m.Login(x, "ann", 0)
	require.ErrorIs(t, err, want)
	s := m.New(x)
	require.NoError(t, s.SetValue("name", []byte{1}))
	_, err = m.Commit(x, s)
	require.ErrorIs(t, err, want)
	require.Empty(t, ann.set)
	page, _, err := m.Sessions(t.Context(), hosts.Query{AnyUser: true}, core.ID{}, 0)
	require.NoError(t, err)
	require.Empty(t, page)
}

func TestSessionsLiveOnWithoutEntropy(t *testing.T) {
	var dry atomic.Bool
	m := open(t, nil, hosts.Config{IdleTimeout: time.Hour, Entropy: source(func(p []byte) (int, error) {
		if dry.Load() {
			return 0, errDrained
		}
		for i := range p {
			p[i] = byte(time.Now().UnixNano() >> (i % 8))
		}
		return min(5, len(p)), nil // short reads are no failure
	})})
	ann := newBrowser()
	id := ann.login(m, "ann").ID
	dry.Store(true)
	m.clock.pass(30 * time.Minute)
	n, err := ann.session(m)
	require.NoError(t, err)
	require.Equal(t, id, n.ID)
	err = m.Set(t.Context(), id, "name", 1)
	require.ErrorIs(t, err, hosts.ErrUnavailable)
	require.ErrorContains(t, err, "no session is issued")
	require.ErrorContains(t, err, "the device is gone")
	_, err = m.Get(t.Context(), id, "name")
	require.ErrorIs(t, err, hosts.ErrNoValue)
	require.NoError(t, m.Destroy(t.Context(), id), "ending needs none")
}

// A source that blocks costs each caller its time and the process one goroutine.
func TestBlockedEntropy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var inside, most atomic.Int64
		m := open(t, nil, hosts.Config{CommitTimeout: trialTimeout, Entropy: source(func(p []byte) (int, error) {
			most.Store(max(most.Load(), inside.Add(1)))
			defer inside.Add(-1)
			<-release
			for i := range p {
				p[i] = byte(i + 1)
			}
			return len(p), nil
		})})
		answers := make(chan error, writers)
		began := time.Now()
		for range writers {
			go func() {
				_, err := m.Create(t.Context())
				answers <- err
			}()
		}
		synctest.Wait()
		require.LessOrEqual(t, goroutinesIn("entropy).draw.func"), 1)
		for range writers {
			err := <-answers
			require.ErrorIs(t, err, hosts.ErrUnavailable)
			require.ErrorIs(t, err, context.DeadlineExceeded)
		}
		require.Equal(t, trialTimeout, time.Since(began))
		m.issuesNothing(t, context.DeadlineExceeded)
		close(release)
		synctest.Wait()
		_, err := m.Create(t.Context())
		require.NoError(t, err, "it is used again when it answers")
		require.EqualValues(t, 1, most.Load())
	})
}

// goroutinesIn counts the goroutines that have a function of that name on
// their stack.
func goroutinesIn(name string) (n int) {
	buf := make([]byte, 4<<20)
	for _, g := range strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
		if strings.Contains(g, name) {
			n++
		}
	}
	return n
}
