package nethttp_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts/feed"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

// TestStoreHandlerWaits: a client that knows of caches asks for them after a logout;
// for another its delete is answered after the wait.
func TestStoreHandlerWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, _ := cluster(t, 0, 0)
		token := strings.Repeat("t", nethttp.MinStoreToken)
		h, err := nethttp.StoreHandler(store, token)
		require.NoError(t, err)
		ask := func(verb, body string, fields ...string) (*httptest.ResponseRecorder, time.Duration) {
			r := httptest.NewRequest("POST", "/"+verb, strings.NewReader(body))
			r.Header.Set("Authorization", "Bearer "+token)
			if len(fields) > 0 {
				r.Header.Set("Session-Wait", fields[0])
			}
			w := httptest.NewRecorder()
			begun := time.Now()
			h.ServeHTTP(w, r)
			require.Equal(t, http.StatusNoContent, w.Code)
			return w, time.Since(begun)
		}
		id := core.ID{7}.String()
		for _, c := range []struct {
			state  feed.State
			says   string
			waits  time.Duration
			fields []string
		}{
			{feed.None, "no", 0, nil},
			{feed.On, "yes", feed.Wait, nil},
			{feed.On, "yes", 0, []string{"caller"}},
			{feed.Stopping, "yes", feed.Wait, nil},
			{feed.Off, "no", 0, nil},
		} {
			require.NoError(t, store.SetCaching(t.Context(), c.state))
			_, took := ask("delete", id, c.fields...)
			require.Equal(t, c.waits, took, c.state)
			w, _ := ask("caching", "")
			require.Equal(t, c.says, w.Header().Get("Session-Caching"))
		}
	})
}
