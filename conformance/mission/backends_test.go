package mission

import (
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

var backendRows = []row{
	{"31", cacheAddsLittle}, {"32", cacheGivesMemoryBack}, {"33", cacheIsBoundedAndLost},
	{"34", filesForDevelopment}, {"35", directoryForItsOwner},
}

// slowest is far above what one read costs, in the race detector too, and far
// below a disk's sync.
const slowest = time.Millisecond

func cacheAddsLittle(t *testing.T, b backend) {
	counted := newFault(b.open(t, t.TempDir()))
	s := open(t, b, setup{store: counted.store})
	ann := s.browser()
	id := ann.login("/middleware", "ann")
	counted.loads.Store(0)
	counted.saves.Store(0)
	for range 10 {
		ann.get("/middleware/me").is(http.StatusOK)
		ann.get("/verbs/me").is(http.StatusOK)
	}
	require.EqualValues(t, 20, counted.loads.Load(), "one load for each request that reads")
	require.Zero(t, counted.saves.Load())
	ann.call("/call", s.mw.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP).is(http.StatusOK)
	ann.give("forged").get("/verbs/me").refused(core.ReasonMalformed)
	require.EqualValues(t, 20, counted.loads.Load(), "none for a request that does not ask, nor for a forged cookie")

	const rounds = 500
	mean := func(f func() error) time.Duration {
		begin := time.Now()
		for range rounds {
			require.NoError(t, f())
		}
		return time.Since(begin) / rounds
	}
	alone := mean(func() error { _, err := s.stored(id); return err })
	whole := mean(func() error { _, err := s.manager.Get(t.Context(), id, "user_id"); return err })
	t.Logf("store alone %v, manager %v", alone, whole)
	require.Less(t, whole, slowest)
}

func cacheGivesMemoryBack(t *testing.T, b backend) {
	store := b.open(t, t.TempDir()).(*cachestore.Store)
	empty := store.Stats()
	s := open(t, b, setup{store: store, Config: hosts.Config{CleanupInterval: time.Millisecond}})
	big := strings.Repeat("x", 8<<10)
	for range 40 {
		s.browser().visiting(func(v *nethttp.Session, w http.ResponseWriter) { require.NoError(t, v.Put("big", big)) }).is(http.StatusOK)
	}
	full := store.Stats()
	require.Equal(t, 40, full.Sessions)
	require.Greater(t, full.Bytes, empty.Bytes+40*8<<10)
	s.clock.pass(2*time.Hour + time.Millisecond)
	for s.await(hosts.EventSwept).Count == 0 {
	}
	after := store.Stats()
	require.Zero(t, after.Sessions)
	require.Less(t, after.Bytes-empty.Bytes, (full.Bytes-empty.Bytes)/10)
}

func cacheIsBoundedAndLost(t *testing.T, b backend) {
	store := b.open(t, t.TempDir()).(*cachestore.Store)
	s := open(t, b, setup{store: store})
	big := strings.Repeat("x", 60<<10)
	fill := func(v *nethttp.Session, w http.ResponseWriter) { require.NoError(t, v.Put("big", big)) }
	var stored []*browser
	for {
		ann := s.browser()
		a := ann.visiting(fill)
		if a.StatusCode != http.StatusOK {
			require.Empty(t, a.is(http.StatusServiceUnavailable).Header["Set-Cookie"])
			break
		}
		stored = append(stored, ann)
		require.Less(t, len(stored), 100, "the bound of 4 MiB is not kept")
	}
	require.Greater(t, len(stored), 20)
	st := store.Stats()
	require.LessOrEqual(t, st.Bytes, st.MaxBytes)
	require.Equal(t, len(stored), st.Sessions)
	s.browser().login("/verbs", "ann") // visitors alone cannot stop a login
	for _, ann := range stored {
		ann.get("/verbs/me").is(http.StatusOK) // no live one was dropped
	}
	stored[0].post("/middleware/logout").is(http.StatusOK)
	stored[0].visiting(fill).is(http.StatusOK) // room again

	ann := s.browser()
	ann.login("/verbs", "ann")
	ann.to(s.restart()).get("/verbs/me").refused(core.ReasonUnknown)
}

func filesForDevelopment(t *testing.T, b backend) {
	s := open(t, b, setup{Config: hosts.Config{AllowInsecure: true}, plain: true})
	for _, style := range styles {
		ann := s.browser()
		ann.login(style, "ann")
		ann.post(style + "/logout").is(http.StatusOK)
		ann.get(style + "/me").refused(core.ReasonNone)
	}
	require.NotContains(t, s.log.String(), "WARN")
}

func directoryForItsOwner(t *testing.T, b backend) {
	dir := t.TempDir() // where the store makes what it needs
	require.NoError(t, os.Chmod(dir, 0o700))
	s := open(t, b, setup{dir: dir})
	ann := s.browser()
	id := ann.login("/verbs", "ann")
	files := 0
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		want := os.FileMode(0o600)
		if d.IsDir() {
			want = 0o700
		} else {
			files++
		}
		require.Equal(t, fmt.Sprint(want), fmt.Sprint(info.Mode().Perm()), path)
		return nil
	}))
	require.NotZero(t, files)
	again := s.restart()
	for _, style := range styles {
		require.Equal(t, id, ann.to(again).get(style+"/me").is(http.StatusOK).id())
	}
}
