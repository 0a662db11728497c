package all_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/conformance/ratio"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/stores"
)

// listPage is what a page of sessions asks for; it is as large as those of Revoke.
const listPage = 200

// fill saves n sessions of one user, in many calls at once.
func fill(b *testing.B, s hosts.Store, n int) {
	now := core.Time(time.Now().UnixMilli())
	var callers sync.WaitGroup
	numbers := make(chan struct{})
	for range 64 {
		callers.Go(func() {
			for range numbers {
				r := core.Record{Version: 1, User: "the one", CreatedAt: now, SeenAt: now, ExpiresAt: now + core.Day, Sealed: make([]byte, 200)}
				rand.Read(r.ID[:]) // never fails
				if err := s.Save(b.Context(), r, core.NoVersion); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for range n {
		numbers <- struct{}{}
	}
	close(numbers)
	callers.Wait()
}

// perSession is what listing and ending a user's n sessions takes for each.
func perSession(b *testing.B, url string, n int) (list, revoke time.Duration) {
	space, err := stores.Scratch(b.Context(), url)
	require.NoError(b, err)
	defer func() { require.NoError(b, space.Drop(context.Background())) }()
	s, closer, err := space.Open(b.Context())
	require.NoError(b, err)
	defer func() { require.NoError(b, closer.Close()) }()
	m, err := hosts.New(s, hosts.Config{Key: core.NewSecret("\x91\x0e\xc7a benchmark, not a secret....."[:32])})
	require.NoError(b, err)
	defer func() { require.NoError(b, m.Close()) }()
	fill(b, s, n)
	user := hosts.Query{User: "the one"}

	start := time.Now()
	for after, more := (core.ID{}), true; more; more = after != (core.ID{}) {
		_, after, err = m.Sessions(b.Context(), user, after, listPage)
		require.NoError(b, err)
	}
	list = time.Since(start)
	start = time.Now()
	ended, err := m.Revoke(b.Context(), user)
	require.NoError(b, err)
	require.Equal(b, n, ended)
	return list / time.Duration(n), time.Since(start) / time.Duration(n)
}

// BenchmarkRatioRevoke lists and ends the sessions of one user, few and many: a
// session costs the same among many. Where a search reads every file many are 10,000.
func BenchmarkRatioRevoke(b *testing.B) {
	if b.N > 1 {
		return
	}
	const few = 1000
	for _, c := range []struct {
		name, url    string
		many, rounds int
	}{
		{"memory", "memory:", 100_000, 3},
		{"file", "file:" + b.TempDir(), 100_000, 1},
		{"file+shared", "file+shared:" + b.TempDir(), 10_000, 1},
		{"sqlite", "sqlite:" + b.TempDir() + "/sessions.db", 100_000, 1},
		{"postgres", os.Getenv("TEST_POSTGRES_DSN"), 100_000, 1},
		{"mysql", os.Getenv("TEST_MYSQL_DSN"), 100_000, 1},
		{"redis", os.Getenv("TEST_REDIS_URL"), 100_000, 1},
	} {
		if c.url == "" {
			fmt.Printf("no server for %s: its sessions were not listed and ended\n", c.name)
			continue
		}
		var list, revoke []float64
		for range c.rounds {
			fewList, fewRevoke := perSession(b, c.url, few)
			manyList, manyRevoke := perSession(b, c.url, c.many)
			list = append(list, float64(manyList)/float64(fewList))
			revoke = append(revoke, float64(manyRevoke)/float64(fewRevoke))
		}
		slices.Sort(list)
		slices.Sort(revoke)
		of := fmt.Sprintf("-%s-%d-vs-%d", c.name, c.many, few)
		ratio.Print("list"+of, list[c.rounds/2], 2, false)
		ratio.Print("revoke"+of, revoke[c.rounds/2], 2, false)
	}
}
