package frameworks

import (
	"net/http"
	"time"

	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

func (s *scene) fresh() {
	b := s.serve(once())
	require.Equal(s.t, http.StatusUnauthorized, b.get("/fresh").status)
	b.post("/login")
	require.Equal(s.t, "user:alice", b.get("/fresh").body)
	s.ahead.Add(11 * time.Minute.Milliseconds())
	thief := s.browser()
	thief.value = b.value
	a := b.get("/fresh")
	require.Equal(s.t, http.StatusUnauthorized, a.status)
	require.JSONEq(s.t, `{"error":"Confirm that it is you","reason":"not_fresh"}`, a.body)
	require.Equal(s.t, "user:alice", b.get("/account").body)
	require.Equal(s.t, http.StatusOK, b.post("/confirm").status)
	require.Equal(s.t, "user:alice", b.get("/fresh").body)
	require.Equal(s.t, http.StatusUnauthorized, thief.get("/fresh").status)
}

func (s *scene) methods() {
	s.options(nethttp.Options{ConfirmPath: "/confirm"})
	b := s.serve(once())
	b.post("/login")
	a := b.get("/otp")
	require.Equal(s.t, http.StatusUnauthorized, a.status)
	require.Contains(s.t, a.body, `"reason":"methods_missing"`)
	b.header.Set("Accept", "text/html")
	a = b.get("/otp?n=1")
	require.Equal(s.t, http.StatusSeeOther, a.status)
	require.Equal(s.t, "/confirm?reason=methods_missing&return_to=%2Fotp%3Fn%3D1", a.header.Get("Location"))
	b.post("/confirm")
	require.Equal(s.t, "user:alice", b.get("/otp").body)
}
