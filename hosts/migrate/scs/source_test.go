package scs_test

import (
	"bytes"
	"context"
	"encoding/gob"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	oldscs "github.com/alexedwards/scs/v2"
	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/hosts/migrate"
	scsmigrate "github.com/rockstar-web/sessions/hosts/migrate/scs"
)

func with(value string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.AddCookie(&http.Cookie{Name: "session", Value: value})
	return r
}

func TestSource(t *testing.T) {
	for _, hash := range []bool{false, true} {
		m := oldscs.New()
		m.HashTokenInStore, m.Cookie.Domain, m.Cookie.Path = hash, "example.com", "/app"
		source, err := scsmigrate.Source(m)
		require.NoError(t, err)
		c := source.Cookie()
		require.Equal(t, "session=; Path=/app; Domain=example.com; HttpOnly; SameSite=Lax", c.String())
		token := signIn(m).Value
		old, err := source.Load(t.Context(), with(token))
		require.NoError(t, err)
		require.Equal(t, map[string]any{"user_id": 42, "basket": 3}, old.Values)
		require.Equal(t, token, old.Token)
		for range 2 {
			require.NoError(t, source.End(t.Context(), token))
			old, err = source.Load(t.Context(), with(token))
			require.NoError(t, err)
			require.Nil(t, old.Values)
			require.Equal(t, token, old.Token, "what it became is found by it")
		}
		for _, r := range []*http.Request{httptest.NewRequest(http.MethodGet, "/", nil), with(""), with(strings.Repeat("x", 300))} {
			old, err = source.Load(t.Context(), r)
			require.NoError(t, err)
			require.Nil(t, old)
		}
	}
}

func TestSourceRefuses(t *testing.T) {
	for _, m := range []*oldscs.SessionManager{nil, {}} {
		_, err := scsmigrate.Source(m)
		require.ErrorContains(t, err, "LoadAndSave")
	}
}

func TestRecordsThatCannotBeRead(t *testing.T) {
	m := oldscs.New()
	require.NoError(t, m.Store.Commit("T1", []byte("rubbish"), oldDeadline(m)))
	source, err := scsmigrate.Source(m)
	require.NoError(t, err)
	_, err = source.Load(context.Background(), with("T1"))
	require.ErrorContains(t, err, "read a session of scs")
	require.ErrorIs(t, err, migrate.ErrUnreadable)
	require.NotContains(t, err.Error(), "T1")
}

// The store keeps what a program with other types has stored.
func TestTypesThatAreNotRegistered(t *testing.T) {
	m := oldscs.New()
	gob.RegisterName("shop.Known__", []basket{})
	deadline := oldDeadline(m)
	b, err := m.Codec.Encode(deadline, map[string]any{"user": "ann", "flash": []any{"hi"}, "tree": map[string]any{"a": 1}, "basket": []basket{{"tea"}}})
	require.NoError(t, err)
	require.NoError(t, m.Store.Commit("T1", bytes.ReplaceAll(b, []byte("shop.Known__"), []byte("shop.Unknown")), deadline))
	source, err := scsmigrate.Source(m)
	require.NoError(t, err)
	old, err := source.Load(t.Context(), with("T1"))
	require.NoError(t, err)
	require.WithinDuration(t, deadline, old.Expires, 0)
	require.ErrorContains(t, migrate.Unread(old.Values["basket"]), "shop.Unknown")
	delete(old.Values, "basket")
	require.Equal(t, map[string]any{"user": "ann", "flash": []any{"hi"}, "tree": map[string]any{"a": 1}}, old.Values)
}

type basket struct{ Name string }

func oldDeadline(m *oldscs.SessionManager) time.Time { return time.Now().Add(m.Lifetime) }
