package sessionctl

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/stores"
)

// fileStore names a store in a directory of its own.
func fileStore(t *testing.T) string {
	t.Helper()
	return "file:" + filepath.Join(t.TempDir(), "sessions")
}

// withStore opens a store as a server would.
func withStore(t *testing.T, url string, f func(hosts.Store)) {
	t.Helper()
	store, closer, err := stores.Open(context.Background(), url)
	require.NoError(t, err)
	f(store)
	require.NoError(t, closer.Close())
}

// fill saves records; an ID that is not set is made up.
func fill(t *testing.T, url string, records ...core.Record) {
	t.Helper()
	withStore(t, url, func(s hosts.Store) {
		for _, r := range records {
			require.NoError(t, s.Save(context.Background(), r, core.NoVersion))
		}
	})
}

// record is the nth of a store's, live for a day.
func record(n uint32, user, tenant string) core.Record {
	now := core.Time(time.Now().UnixMilli())
	r := core.Record{Version: core.Version(n) + 1, User: user, Tenant: tenant, CreatedAt: now - core.Hour, SeenAt: now, ExpiresAt: now + core.Day}
	binary.BigEndian.PutUint32(r.ID[:], n*0x9e3779b1) // all over the fanout of a directory
	r.ID[15] = 1
	r.Sealed = bytes.Repeat([]byte{byte(n)}, 100)
	return r
}

// all returns what a store holds, in order.
func all(t *testing.T, url string) []core.Record {
	t.Helper()
	var found []core.Record
	withStore(t, url, func(s hosts.Store) {
		for r, err := range walk(context.Background(), s, hosts.Query{AnyTenant: true, AnyUser: true}) {
			require.NoError(t, err)
			found = append(found, r)
		}
	})
	return found
}

// objects reads a command's JSON.
func objects(t *testing.T, text string) []map[string]any {
	t.Helper()
	var list []map[string]any
	for line := range strings.Lines(text) {
		var o map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &o), line)
		list = append(list, o)
	}
	return list
}

func byID(records []core.Record) []core.Record {
	sorted := slices.Clone(records)
	slices.SortFunc(sorted, func(a, b core.Record) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	return sorted
}

// on calls a verb over a store. Flags come first.
func on(t *testing.T, url, verb string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	return call{args: append([]string{verb, "--store", url}, args...)}.run(t)
}

// crowd is a store of several tenants.
func crowd(t *testing.T, url string) []core.Record {
	t.Helper()
	list := []core.Record{
		record(1, "alice", ""), record(2, "alice", ""), record(3, "bob", ""), record(4, "", ""),
		record(5, "alice", "acme"), record(6, "carol", "acme"), record(7, "", "acme"), record(8, "-", "a b"),
	}
	long := core.Time(time.Now().UnixMilli()) - 2*core.Hour
	list[2].ExpiresAt, list[5].ExpiresAt = long, long
	fill(t, url, list...)
	return list
}
