package nethttp_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/core/wire"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

func TestStoreHandler(t *testing.T) {
	store, err := cachestore.Open(cachestore.Options{})
	require.NoError(t, err)
	token := strings.Repeat("t", nethttp.MinStoreToken)
	h, err := nethttp.StoreHandler(store, token)
	require.NoError(t, err)
	server := httptest.NewServer(http.StripPrefix("/store", h))
	defer server.Close()
	auth := "Bearer " + token
	ask := func(verb string, body []byte) (int, []byte) {
		r, err := http.NewRequest("POST", server.URL+"/store/"+verb, bytes.NewReader(body))
		require.NoError(t, err)
		r.Header.Set("Authorization", auth)
		a, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		defer a.Body.Close()
		b, err := io.ReadAll(a.Body)
		require.NoError(t, err)
		return a.StatusCode, b
	}
	status := func(verb string, body []byte) int { s, _ := ask(verb, body); return s }
	rec := core.Record{ID: core.ID{7}, Version: 5, Tenant: "acme", User: "zoë", CreatedAt: 1, SeenAt: -2, ExpiresAt: core.Day, Sealed: []byte("sealed\x00")}
	saving := func(prev core.Version, r core.Record) []byte {
		return wire.AppendRecord(binary.LittleEndian.AppendUint64(nil, uint64(prev)), &r)
	}
	id := []byte(rec.ID.String())
	require.Equal(t, 404, status("load", id))
	require.Equal(t, 204, status("save", saving(0, rec)))
	require.Equal(t, 204, status("save?touch=1", saving(0, rec)), "idempotent")
	next := rec
	next.Version = 6
	require.Equal(t, 409, status("save", saving(9, next)))
	require.Equal(t, 204, status("save", saving(5, next)))
	s, b := ask("load", id)
	require.Equal(t, 200, s)
	got, err := wire.ReadRecord(b)
	require.NoError(t, err)
	require.Equal(t, next, got)

	bad := rec
	bad.User = "a\x00"
	require.Equal(t, 400, status("save", saving(0, bad)))
	require.Equal(t, 400, status("save", []byte("short")))
	require.Equal(t, 400, status("save", saving(0, rec)[:40]))
	require.Equal(t, 400, status("load", []byte("no ID")))
	require.Equal(t, 400, status("delete", nil))
	require.Equal(t, 413, status("save", make([]byte, 2<<20)))
	require.Equal(t, 404, status("sweep", nil))
	for _, wrong := range []string{"", "Bearer ", token, "Bearer " + token[1:], "Basic " + token} {
		auth = wrong
		require.Equal(t, 401, status("delete", id), wrong)
	}
	auth = "Bearer " + token
	require.Equal(t, 200, status("load", id))
	require.Equal(t, 204, status("delete", id))
	require.Equal(t, 204, status("delete", id))
	require.Equal(t, 404, status("load", id))
	require.NoError(t, store.Close())
	s, b = ask("load", id)
	require.Equal(t, 503, s)
	require.NotContains(t, string(b), "cachestore")

	_, err = nethttp.StoreHandler(store, "short")
	require.Error(t, err)
	_, err = nethttp.StoreHandler(hosts.Store(nil), token)
	require.Error(t, err)
}

// A host elsewhere learns that a save has certainly changed nothing.
func TestStoreHandlerTellsARefusal(t *testing.T) {
	rec := core.Record{ID: core.ID{7}, Version: 5, ExpiresAt: core.Day, Sealed: []byte("sealed")}
	for err, want := range map[error]string{hosts.ErrRefused: "refused", hosts.ErrFull: "refused", hosts.ErrUnavailable: "", hosts.ErrUnknown: ""} {
		h, e := nethttp.StoreHandler(failing{err: err}, strings.Repeat("t", nethttp.MinStoreToken))
		require.NoError(t, e)
		r := httptest.NewRequest("POST", "/save", bytes.NewReader(wire.AppendRecord(make([]byte, 8), &rec)))
		r.Header.Set("Authorization", "Bearer "+strings.Repeat("t", nethttp.MinStoreToken))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		require.Equal(t, 503, w.Code)
		require.Equal(t, want, w.Header().Get("Session-Store"), err.Error())
	}
}

type failing struct {
	hosts.Store
	err error
}

func (f failing) Save(context.Context, core.Record, core.Version) error { return f.err }
