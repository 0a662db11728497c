package mission

import (
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/conformance/former"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/rockstar-web/sessions/stores"
)

// What stores do that are full, or older than the program.
var full = []row{
	{"E29", everybodyIsEndedOnAFullDisk}, {"E53", endsTakeStepsAsTheyAreMany}, {"E54", noUserFillsTheStore},
	{"E55", formerSessionsAreAlive}, {"E31", noDriverIsRegistered}, {"E56", oneOfManyValuesIsReadAlone},
}

// large is a session that fills a disk soon.
func large(i int) core.Record {
	r := core.Record{Version: core.Version(i + 1), User: fmt.Sprintf("user-%d", i%50), ExpiresAt: core.Time(i) * core.Second, Sealed: make([]byte, 12<<10)}
	binary.BigEndian.PutUint64(r.ID[:], uint64(i+1)*0x9e3779b97f4a7c15)
	return r
}

// fillUp saves until the disk is full, and returns how many there are.
func fillUp(t *testing.T, s hosts.Store) int {
	for n := 0; ; n++ {
		if err := s.Save(t.Context(), large(n), core.NoVersion); err != nil {
			require.ErrorIs(t, err, hosts.ErrFull)
			return n
		}
	}
}

func everybodyIsEndedOnAFullDisk(t *testing.T, b backend) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "mode=0700,size=80m"); err != nil {
		t.Skipf("SKIPPED, NOT TESTED: mounting a tmpfs is not permitted here: %v", err)
	}
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(dir, 0)) })
	s := b.open(t, dir)
	n := fillUp(t, s)
	require.Greater(t, n, 1000)
	var all sync.WaitGroup
	for w := range 8 {
		all.Go(func() {
			for i := w; i < n/2; i += 8 {
				if err := s.Delete(t.Context(), large(i).ID); err != nil {
					t.Errorf("session %d of %d: %v", i, n, err)
					return
				}
			}
		})
	}
	all.Wait()
	sweeper, ok := hosts.As[hosts.Sweeper](s)
	require.True(t, ok)
	gone, err := sweeper.Sweep(t.Context(), core.Time(n)*core.Second, n)
	require.NoError(t, err)
	require.Equal(t, n-n/2, gone)
	for i := range n / 4 {
		require.NoError(t, s.Save(t.Context(), large(i), core.NoVersion), "in the room that they left")
	}
}

// counting notes how often sessions are looked for.
type counting struct {
	hosts.Store
	finds int
}

func (c *counting) Unwrap() hosts.Store { return c.Store }

func (c *counting) Find(ctx context.Context, q hosts.Query, after core.ID, limit int) ([]core.Record, error) {
	c.finds++
	finder, ok := hosts.As[hosts.Finder](c.Store)
	if !ok {
		return nil, hosts.ErrNoFinder
	}
	return finder.Find(ctx, q, after, limit)
}

// endsTakeStepsAsTheyAreMany: the time of each is stores/all's BenchmarkRatioRevoke.
func endsTakeStepsAsTheyAreMany(t *testing.T, b backend) {
	c := &counting{Store: b.open(t, t.TempDir())}
	s := open(t, b, setup{store: c})
	steps := func(n int) int {
		for range n {
			v, err := s.manager.Create(t.Context())
			require.NoError(t, err)
			v.UserID = "ann"
			require.NoError(t, s.manager.Save(t.Context(), v))
		}
		c.finds = 0
		ended, err := s.manager.Revoke(t.Context(), hosts.Query{User: "ann"})
		require.NoError(t, err)
		require.Equal(t, n, ended)
		return c.finds
	}
	few := steps(100)
	require.LessOrEqual(t, steps(600), 6*few)
}

func noUserFillsTheStore(t *testing.T, b backend) {
	s := open(t, b, setup{store: b.open(t, t.TempDir()).(*cachestore.Store)})
	bob := s.browser()
	bob.login("/verbs", "bob")
	big := strings.Repeat("x", 60<<10)
	refused := 0
	for range 200 {
		a := s.browser().visiting(func(v *nethttp.Session, w http.ResponseWriter) {
			require.NoError(t, v.Login("mallory", 0))
			require.NoError(t, v.Put("big", big))
		})
		if a.StatusCode == http.StatusServiceUnavailable {
			refused++
		}
	}
	require.Greater(t, refused, 100)
	s.browser().login("/verbs", "ann")
	bob.visiting(func(v *nethttp.Session, w http.ResponseWriter) { require.NoError(t, v.Put("cart", big)) }).is(http.StatusOK)
	bob.post("/middleware/logout").is(http.StatusOK)
}

// formerSessionsAreAlive: what the release with schema 1 wrote is moved in place.
func formerSessionsAreAlive(t *testing.T, b backend) {
	const tables = "../../dbstore/tests/testdata/schema1-"
	if b.name == "sqlite" {
		const file = "../../dbstore/sqlite/testdata/schema1"
		old, err := os.ReadFile(file + ".db")
		require.NoError(t, err)
		path := filepath.Join(t.TempDir(), "sessions.db")
		require.NoError(t, os.WriteFile(path, old, 0o600))
		aliveAt(t, "sqlite:"+path, file+".cookies")
		return
	}
	u, err := url.Parse(b.url(t, ""))
	require.NoError(t, err)
	driver, dsn := "pgx", u.String()
	if b.name == "mysql" {
		driver, dsn = "mysql", fmt.Sprintf("%s@tcp(%s)%s", u.User, u.Host, u.Path)
	}
	db, err := sql.Open(driver, dsn)
	require.NoError(t, err)
	defer db.Close()
	table := fmt.Sprintf("test_%016x", rand.Uint64())
	defer func() {
		_, err := db.Exec("DROP TABLE IF EXISTS " + table + ", " + table + "_schema")
		require.NoError(t, err)
	}()
	text, err := os.ReadFile(tables + b.name + ".sql")
	require.NoError(t, err)
	for one := range strings.SplitSeq(strings.TrimSpace(string(text)), ";\n") {
		_, err := db.Exec(strings.TrimSuffix(strings.ReplaceAll(one, "{table}", table), ";"))
		require.NoError(t, err)
	}
	q := u.Query()
	q.Set("table", table)
	u.RawQuery = q.Encode()
	aliveAt(t, u.String(), tables+b.name+".cookies")
}

func aliveAt(t *testing.T, url, cookies string) {
	s, closer, err := stores.Open(t.Context(), url)
	require.NoError(t, err)
	former.AreAlive(t, s, cookies)
	require.NoError(t, closer.Close())
}

// noDriverIsRegistered under a name that others use: conformance/peers/drivers has
// programs with both.
func noDriverIsRegistered(t *testing.T, _ backend) {
	out, err := exec.Command("go", "list", "-deps", "github.com/rockstar-web/sessions/stores/all").CombinedOutput()
	require.NoError(t, err, string(out))
	linked := strings.Fields(string(out))
	require.Contains(t, linked, "github.com/ncruces/go-sqlite3")
	require.NotContains(t, linked, "github.com/ncruces/go-sqlite3/driver", "which registers itself as sqlite3")
}

// oneOfManyValuesIsReadAlone: what it costs is conformance/peers'
// BenchmarkRatioOneOfMany; here nothing is made of the values that nobody asked
// for.
func oneOfManyValuesIsReadAlone(t *testing.T, b backend) {
	s := open(t, b, setup{})
	allocations := func(values int) float64 {
		v, err := s.manager.Create(t.Context())
		require.NoError(t, err)
		for i := range values {
			v.Data[fmt.Sprintf("name-%03d", i)] = i
		}
		require.NoError(t, s.manager.Save(t.Context(), v))
		return testing.AllocsPerRun(100, func() {
			if n, err := s.manager.Get(t.Context(), v.ID, "name-000"); n != 0 || err != nil {
				t.Error(n, err)
			}
		})
	}
	require.LessOrEqual(t, allocations(1000), allocations(1)+5)
}
