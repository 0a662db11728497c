package main

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/feed"
	"github.com/rockstar-web/sessions/stores"
)

// TestCacheOnMakesTheFeed, with or without cache off before it: the doctor finds the same.
func TestCacheOnMakesTheFeed(t *testing.T) {
	for _, backend := range []string{"sqlite", "postgres", "mysql", "redis"} {
		for _, words := range [][]string{{"on"}, {"off", "on"}, {"on", "off", "on"}} {
			t.Run(backend+" "+strings.Join(words, ", "), func(t *testing.T) {
				env := []string{"SESSION_ENCRYPTION_KEY=" + testKey, "SESSION_STORE=" + backends[backend](t)}
				run := func(args ...string) string {
					code, out, warn := call{args: args, env: env}.run(t)
					require.Zero(t, code, out+warn)
					return out
				}
				if backend != "redis" { // where there is nothing to make
					code, out, warn := call{args: []string{"cache", "on"}, env: env}.run(t)
					require.Equal(t, 1, code)
					require.Empty(t, out)
					require.Contains(t, warn, "sessionctl migrate makes a store", "it makes none")
				}
				run("migrate")
				for _, word := range words {
					require.Equal(t, "caching: "+word+"\n", run("cache", "--quiet", word))
				}
				_, out, warn := call{args: []string{"doctor"}, env: env}.run(t)
				require.Contains(t, out, "its feed of changes answers", out+warn)
			})
		}
	}
}

// TestCacheCommand switches the mark that caches are in use, and the doctor reports a
// trigger that is gone.
func TestCacheCommand(t *testing.T) {
	file := filepath.Join(t.TempDir(), "s.db")
	name := "sqlite:" + file
	store, closer, err := stores.Open(t.Context(), name)
	require.NoError(t, err)
	run := func(want int, args ...string) string {
		code, out, warn := call{args: append(args, "--store", name), env: []string{"SESSION_ENCRYPTION_KEY=" + testKey}}.run(t)
		require.Equal(t, want, code, out+warn)
		return out + warn
	}
	require.Equal(t, "caching: none\n", run(0, "cache", "status"))
	require.Contains(t, run(0, "doctor"), "cached by no server")
	marked, ok := hosts.As[feed.Caching](store)
	require.True(t, ok)
	require.NoError(t, marked.EnableCaching(t.Context()))
	require.Equal(t, "{\"caching\":\"on\"}\n", run(0, "cache", "status", "--json"))
	require.Contains(t, run(0, "doctor"), "feed of changes answers")
	for _, ends := range [][]string{{"end", exampleID}, {"end-all", "--all-tenants"}} { // as a logout waits
		begun := time.Now()
		run(0, ends...)
		require.GreaterOrEqual(t, time.Since(begun), feed.Wait)
	}

	db, err := sql.Open("sqlite3", "file:"+file)
	require.NoError(t, err)
	_, err = db.Exec("DROP TRIGGER sessions_feed_delete")
	require.NoError(t, err)
	require.NoError(t, db.Close())
	require.Contains(t, run(1, "doctor"), "its feed of changes does not work")

	begun := time.Now()
	require.Equal(t, "caching: off\n", run(0, "cache", "off"))
	require.GreaterOrEqual(t, time.Since(begun), feed.Wait)
	require.ErrorIs(t, marked.EnableCaching(t.Context()), feed.ErrCachingOff)
	require.Equal(t, "caching: on\n", run(0, "cache", "on"))
	require.Contains(t, run(0, "doctor"), "feed of changes answers", "with the trigger that was gone")
	require.NoError(t, closer.Close())

	code, _, warn := call{args: []string{"cache", "maybe", "--store", name}}.run(t)
	require.Equal(t, 2, code)
	require.Contains(t, warn, `"maybe"`)
}
