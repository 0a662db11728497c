package hosts_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/conformance"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/values"
	"github.com/stretchr/testify/require"
)

// oneMore counts in an int.
func oneMore(old any, _ bool) (any, error) {
	n, _ := old.(int)
	return n + 1, nil
}

// guard is the lock of a request's session, and counts what runs without it.
type guard struct {
	sync.Mutex
	outside int
	refuses error
}

func (g *guard) Outside(run func() error) error {
	g.outside++
	if g.refuses != nil {
		return g.refuses
	}
	g.Unlock()
	defer g.Lock()
	return run()
}

// visit signs ann in and begins a request of hers.
func visit(t *testing.T) (m, other *site, x *hosts.Request, id core.ID) {
	m = open(t, nil, hosts.Config{})
	other = open(t, m.store, hosts.Config{Clock: m.clock})
	ann := newBrowser()
	id = ann.login(m, "ann").ID
	x = ann.ask(m)
	_, err := m.Resume(x)
	require.NoError(t, err)
	return m, other, x, id
}

// TestUpdatesOutliveARefusedCommit: the session has them still, and so has its next commit
// their functions.
func TestUpdatesOutliveARefusedCommit(t *testing.T) {
	m, other, x, id := visit(t)
	require.NoError(t, other.Set(t.Context(), id, "role", "guest"))
	require.NoError(t, m.Reread(x))
	_, _ = m.Get(x, id, "role")
	role, err := values.Encode("role", "admin")
	require.NoError(t, err)
	require.NoError(t, x.Current().SetValue("role", role))
	require.NoError(t, other.Set(t.Context(), id, "role", "banned"))
	require.ErrorIs(t, m.Update(x, id, "n", oneMore), core.ErrConflict)
	require.NoError(t, other.Update(t.Context(), id, "n", oneMore))
	require.ErrorIs(t, m.Set(x, id, "name", "ann"), core.ErrConflict, "for the role still")

	require.NoError(t, x.Current().DeleteValue("role")) // what is stored is to go, too: nothing of it was read
	require.NoError(t, other.Delete(t.Context(), id, "role"))
	require.NoError(t, m.Set(x, id, "name", "ann"))
	require.Equal(t, map[string]any{"n": 2, "name": "ann"}, m.data(id))
}

func TestUpdatesOfARequestsOwnSession(t *testing.T) {
	m, other, x, id := visit(t)
	g := &guard{}
	x.Guard = g
	require.NoError(t, m.Update(x, id, "n", oneMore))
	require.NoError(t, other.Update(t.Context(), id, "n", oneMore)) // the request has not seen it
	require.NoError(t, m.Update(x, id, "n", oneMore))
	require.Equal(t, 3, m.data(id)["n"], "the function ran again on what was stored")
	require.Equal(t, 1, g.outside, "without the lock")

	refused := errors.New("too late")
	require.ErrorIs(t, m.Update(x, id, "n", func(any, bool) (any, error) { return 0, refused }), refused)
	require.NoError(t, other.Update(t.Context(), id, "n", oneMore))
	g.refuses = refused
	require.ErrorIs(t, m.Update(x, id, "n", oneMore), refused, "the function must not run again")
	require.Equal(t, 4, m.data(id)["n"])
	require.ErrorIs(t, m.Update(t.Context(), core.ID{1}, "n", oneMore), core.ErrNotFound)
	require.ErrorIs(t, m.Update(x, id, "n", func(any, bool) (any, error) { return 0, m.Destroy(x, id) }), core.ErrNotFound)
}

// A middleware updates without a commit: that is the request's, at its end.
func TestUpdatesThatWaitForTheCommit(t *testing.T) {
	m, other, x, id := visit(t)
	use := func(f func(*core.Session) error) error { return f(x.Current()) }
	first := true
	require.NoError(t, x.Updates.Run("n", func(old any, ok bool) (any, error) {
		if first { // another goroutine of the request is faster
			first = false
			_, err := x.Current().AddValue("n", 5)
			require.NoError(t, err)
		}
		return oneMore(old, ok)
	}, use))
	_, err := x.Current().AddValue("n", 10)
	require.NoError(t, err)
	x.Updates.KeepAdd("n", 10)
	x.Updates.KeepAdd("without an update", 1)
	require.NoError(t, x.Updates.Run("gone", oneMore, use))
	require.NoError(t, x.Current().DeleteValue("gone"))
	x.Updates.Forget("gone")
	raw, ok := x.Current().Value("n")
	require.True(t, ok)
	n, err := core.DecodeValue(raw)
	require.NoError(t, err)
	require.Equal(t, 16, n)

	require.NoError(t, other.Set(t.Context(), id, "n", 100))
	_, err = m.Commit(x, x.Current())
	require.NoError(t, err)
	require.Equal(t, map[string]any{"n": 116}, m.data(id))

	down := errors.New("no session")
	require.ErrorIs(t, x.Updates.Run("n", oneMore, func(func(*core.Session) error) error { return down }), down)
}

func TestTakeFromARequestsOwnSession(t *testing.T) {
	m, other, x, id := visit(t)
	require.NoError(t, x.Current().SetValue("flash", []byte{1})) // not stored
	v, err := m.Take(x, id, "flash")
	require.NoError(t, err)
	require.Equal(t, 1, v)
	_, err = m.Take(x, id, "flash")
	require.ErrorIs(t, err, hosts.ErrNoValue)

	require.NoError(t, m.Set(x, id, "link", "once"))
	require.NoError(t, other.Set(t.Context(), id, "other", 1))
	require.NoError(t, x.Current().SetValue("draft", []byte{2}))
	v, err = m.Take(x, id, "link") // meets a conflict, and is made again
	require.NoError(t, err)
	require.Equal(t, "once", v)
	_, ok := x.Current().Value("link")
	require.False(t, ok, "the request goes on without it")
	require.Equal(t, map[string]any{"other": 1}, m.data(id), "the removal is stored at once, and alone")
	_, err = m.Commit(x, x.Current())
	require.NoError(t, err)
	require.Equal(t, map[string]any{"other": 1, "draft": 2}, m.data(id))

	fresh := newBrowser().ask(m)
	require.NoError(t, m.New(fresh).SetValue("flash", []byte{3}))
	v, err = m.TakeFrom(fresh, "flash")
	require.NoError(t, err)
	require.Equal(t, 3, v)
	_, err = m.TakeFrom(fresh, "flash")
	require.ErrorIs(t, err, hosts.ErrNoValue)
}

// A browser may have several of our cookies, by different paths.
func TestALogoutEndsEverySessionThatTheRequestProves(t *testing.T) {
	m := open(t, nil, hosts.Config{})
	ann, again, ben := newBrowser(), newBrowser(), newBrowser()
	old := ann.login(m, "ann").ID
	m.clock.pass(1000)
	id, bens := again.login(m, "ann").ID, ben.login(m, "ben").ID
	x := ann.ask(m)
	x.Cookies = hosts.CookieFields(ann.field()[0] + "; " + again.field()[0])
	_, err := m.Resume(x)
	require.NoError(t, err)
	require.NoError(t, m.EndSession(x))
	m.gone(old)
	m.gone(id)
	m.data(bens)
	require.ErrorIs(t, x.Refusal(), core.ErrEnded)
	require.Len(t, m.events(hosts.EventEnded), 2)
}

// A logout that failed has deleted the session, and nobody knows of how many replicas.
// The visitor logs out once more, and the store is asked once more: what it cannot
// acknowledge is not reported as done.
func TestALogoutThatFailedIsMadeAgain(t *testing.T) {
	var failing atomic.Bool
	deletes := 0
	store := conformance.Faulty(memory(t), func(_ int, v conformance.Verb) conformance.Fault {
		if v != conformance.Delete {
			return conformance.Pass
		}
		if deletes++; failing.Load() {
			return conformance.LoseAnswer
		}
		return conformance.Pass
	})
	m := open(t, store, hosts.Config{CommitTimeout: 50 * time.Millisecond})
	ann := newBrowser()
	id := ann.login(m, "ann").ID
	failing.Store(true)
	logOut := func() error {
		x := ann.ask(m)
		if _, err := m.Resume(x); err != nil {
			m.New(x)
		}
		return m.EndSession(x)
	}
	require.ErrorIs(t, logOut(), hosts.ErrUnavailable)
	m.gone(id)
	require.ErrorIs(t, logOut(), hosts.ErrUnavailable)
	failing.Store(false)
	deletes = 0
	require.NoError(t, logOut())
	require.Equal(t, 1, deletes)
	require.Empty(t, m.events(hosts.EventEnded), "nothing ended that was not gone already")
}
