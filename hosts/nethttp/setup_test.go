package nethttp_test

import (
	"context"
	"encoding"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

// Development answers on loopback addresses, under names of this machine, and to
// no proxy.
func TestDevelopmentIsForThisMachine(t *testing.T) {
	s := open(t, setup{})
	mw, err := nethttp.New(s.manager, nethttp.Options{Development: true})
	require.NoError(t, err)
	handler := mw.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "served") }))
	for _, c := range []struct {
		at, host, field string
		served          bool
	}{
		{"127.0.0.1", "localhost:8080", "", true}, {"::1", "[::1]:8080", "", true}, {"127.0.0.9", "shop.localhost", "", true}, {"127.0.0.1", "LOCALHOST.", "", true},
		{"10.0.0.1", "localhost", "", false}, {"", "localhost", "", false}, {"127.0.0.1", "shop.example", "", false}, {"127.0.0.1", "", "", false},
		{"127.0.0.1", "localhost.evil.example", "", false}, {"127.0.0.1", "localhost", "X-Forwarded-For", false}, {"127.0.0.1", "localhost", "Via", false},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Host = c.host
		if c.at != "" {
			r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, &net.TCPAddr{IP: net.ParseIP(c.at)}))
		}
		if c.field != "" {
			r.Header.Set(c.field, "127.0.0.1")
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		require.Equal(t, c.served, w.Code == http.StatusOK, c)
		if !c.served {
			require.Contains(t, w.Body.String(), "development mode")
		}
	}
	require.Contains(t, s.log.String(), "listen on 127.0.0.1 and use no proxy")
}

// Two managers, one within the other, need two cookies.
func TestTwoManagersNeedTwoCookies(t *testing.T) {
	s := open(t, setup{})
	for name, status := range map[string]int{cookieName: http.StatusInternalServerError, "other": http.StatusOK} {
		store, err := cachestore.Open(cachestore.Options{})
		require.NoError(t, err)
		m, err := hosts.New(store, hosts.Config{Key: siteKey, CookieName: name, AllowInsecure: true})
		require.NoError(t, err)
		other, err := nethttp.New(m, nethttp.Options{})
		require.NoError(t, err)
		w := httptest.NewRecorder()
		s.mw.Handler(other.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		require.Equal(t, status, w.Code, name)
		require.NoError(t, other.Close())
		require.NoError(t, store.Close())
	}
}

// Peek is no read: what is put afterwards does not conflict.
func TestPeekIsNoRead(t *testing.T) {
	s := open(t, setup{})
	b := s.browser()
	b.put("theme", "light")
	a := b.get(s.with(func(v *nethttp.Session, _ http.ResponseWriter) error {
		old, err := v.Peek("theme")
		if err != nil || old != "light" {
			t.Error(old, err)
		}
		if err := s.manager.Set(context.Background(), b.id(), "theme", "dark"); err != nil {
			return err
		}
		return v.Put("theme", "blue")
	}))
	require.Equal(t, http.StatusOK, a.status, a.body)
	require.Equal(t, "blue", b.value("theme"))
}

// A StatusError is the answer that its handler wants, with a status of an error.
func TestStatusError(t *testing.T) {
	cause := fmt.Errorf("row 7 is locked")
	e := &nethttp.StatusError{Status: 404, Text: "No such order.", Err: cause}
	require.ErrorIs(t, e, cause)
	require.Equal(t, "404 No such order.: row 7 is locked", e.Error())
	require.Equal(t, "404 No such order.", (&nethttp.StatusError{Status: 404, Text: "No such order."}).Error())
	status, text := nethttp.Failure(e)
	require.Equal(t, "404 No such order.", fmt.Sprint(status, " ", text))
	status, _ = nethttp.Failure(&nethttp.StatusError{Status: 200})
	require.Equal(t, 500, status)
}

// Neither the context of a request nor its writer prints what it leads to.
func TestContextAndWriterPrintNothing(t *testing.T) {
	s := open(t, setup{})
	require.Equal(t, "X-Forwarded-For", s.mw.ForwardedHeader())
	a := s.browser().get(func(w http.ResponseWriter, r *http.Request) {
		for _, v := range []any{r.Context(), w} {
			text := fmt.Sprintf("%v %+v", v, v)
			marshaled, err := v.(encoding.TextMarshaler).MarshalText()
			if err != nil || len(text) > 200 || len(marshaled) > 100 {
				t.Error(text, string(marshaled), err)
			}
		}
		if err := w.(http.Pusher).Push("/x", nil); !errors.Is(err, http.ErrNotSupported) {
			t.Error(err)
		}
	})
	require.Equal(t, http.StatusOK, a.status)
}
