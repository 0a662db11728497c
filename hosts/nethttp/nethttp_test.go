package nethttp_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"testing"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

func TestLoginCountLogout(t *testing.T) {
	store, err := cachestore.Open(cachestore.Options{})
	require.NoError(t, err)
	m, err := hosts.New(store, hosts.Config{Key: []byte("\x8f\x1bA test key, really not for any use")[:32], AllowInsecure: true})
	require.NoError(t, err)
	defer m.Close()
	h, err := nethttp.New(m, nethttp.Options{})
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.HandleFunc("/login", func(w http.ResponseWriter, r *http.Request) {
		s, err := nethttp.Session(r)
		require.NoError(t, err)
		require.NoError(t, s.Login("alice", 0))
		fmt.Fprint(w, "hello")
	})
	mux.HandleFunc("/count", func(w http.ResponseWriter, r *http.Request) {
		s, err := nethttp.Session(r)
		require.NoError(t, err)
		n, _ := s.Get("n")
		c, _ := n.(int)
		require.NoError(t, s.Put("n", c+1))
		fmt.Fprint(w, c+1, s.User())
	})
	mux.HandleFunc("/logout", func(w http.ResponseWriter, r *http.Request) {
		s, err := nethttp.Session(r)
		require.NoError(t, err)
		require.NoError(t, s.Destroy())
	})
	srv := httptest.NewServer(h.Handler(mux))
	defer srv.Close()
	jar, _ := cookiejar.New(nil)
	c := &http.Client{Jar: jar}
	get := func(path string) string {
		resp, err := c.Get(srv.URL + path)
		require.NoError(t, err)
		defer resp.Body.Close()
		b, _ := io.ReadAll(resp.Body)
		return fmt.Sprint(resp.StatusCode, " ", string(b))
	}
	require.Equal(t, "200 1", get("/count"))
	require.Equal(t, "200 2", get("/count"))
	require.Equal(t, "200 hello", get("/login"))
	require.Equal(t, "200 3alice", get("/count"))
	require.Equal(t, "200 ", get("/logout"))
	require.Equal(t, "200 1", get("/count"))
}
