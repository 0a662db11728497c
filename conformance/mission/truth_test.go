package mission

import (
	"net/http"
	"strings"
	"testing"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

// What errors, outages and prints tell.
var truth = []row{{"E26", everyErrorHasItsStatus}, {"E27", anOutageIsSeen}, {"E28", nothingSecretIsPrinted}}

// everyErrorHasItsStatus by what a handler meets; hosts/nethttp goes through all
// exported errors.
func everyErrorHasItsStatus(t *testing.T, b backend) {
	s := open(t, b, setup{Config: hosts.Config{Exclusive: []string{"seat"}, SessionSize: 1024}})
	ann := s.browser()
	id := ann.login("/middleware", "ann")
	for name, c := range map[string]struct {
		status int
		do     func(v *nethttp.Session) error
	}{
		"empty user":    {http.StatusBadRequest, func(v *nethttp.Session) error { return v.Login("", 0) }},
		"long lifetime": {http.StatusBadRequest, func(v *nethttp.Session) error { return v.Login("ann", 1<<62) }},
		"empty name":    {http.StatusBadRequest, func(v *nethttp.Session) error { return v.Put("", 1) }},
		"empty query": {http.StatusBadRequest, func(*nethttp.Session) error {
			_, _, err := s.manager.Sessions(t.Context(), hosts.Query{}, core.ID{}, 0)
			return err
		}},
		"too large":  {http.StatusRequestEntityTooLarge, func(v *nethttp.Session) error { return v.Put("n", strings.Repeat("x", 2048)) }},
		"no type":    {http.StatusInternalServerError, func(v *nethttp.Session) error { return v.Put("n", struct{}{}) }},
		"no handler": {http.StatusInternalServerError, func(*nethttp.Session) error { _, err := nethttp.From(new(http.Request)); return err }},
		"conflict": {http.StatusConflict, func(v *nethttp.Session) error {
			require.NoError(t, s.manager.Set(t.Context(), id, "seat", 1))
			return v.Put("seat", 2)
		}},
	} {
		a := ann.visiting(func(v *nethttp.Session, w http.ResponseWriter) {
			if err := c.do(v); err != nil {
				status, text := nethttp.Failure(err)
				http.Error(w, text, status)
			}
		})
		require.Equal(t, c.status, a.StatusCode, name)
	}
	ann.visiting(func(v *nethttp.Session, w http.ResponseWriter) {
		require.NoError(t, s.manager.Destroy(t.Context(), id))
		require.NoError(t, v.Put("n", 2))
	}).is(http.StatusUnauthorized)
	ann.call("/call", s.mw.Require(http.NotFoundHandler()).ServeHTTP).is(http.StatusUnauthorized)
}

// anOutageIsSeen in the log and as an event, whoever met it.
func anOutageIsSeen(t *testing.T, b backend) {
	f := newFault(b.open(t, t.TempDir()))
	s := open(t, b, setup{store: f.store})
	ann := s.browser()
	ann.login("/middleware", "ann")
	f.fail.Store(true)
	for range 3 {
		ann.get("/middleware/me").is(http.StatusServiceUnavailable)
		ann.get("/verbs/me").is(http.StatusServiceUnavailable)
	}
	e := s.await(hosts.EventFailed)
	require.ErrorIs(t, e.Err, hosts.ErrUnavailable)
	require.Equal(t, 1, e.Count, "the first at once")
	f.fail.Store(false)
	ann.get("/middleware/me").is(http.StatusOK)
	s.stop()
	require.Equal(t, 2, strings.Count(s.log.String(), "sessions: session store failed"), "the first, and the others together")
	require.Contains(t, s.log.String(), "count=5 ")
}
