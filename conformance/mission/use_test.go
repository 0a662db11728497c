package mission

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

var use = append([]row{
	{"36", managerFromContext}, {"37", newID}, {"38", anyValues}, {"39", saveStores}, {"40", setCookie},
	{"49", nestedMapAndTime}, {"50", setWithoutLoading}, {"51", readBackUnchanged}, {"52", missingValueOrSession},
	{"53", deletedFromData}, {"54", deleteByID}, {"55", clearByID},
}, lifecycle...)

type requestID struct{}

func managerFromContext(t *testing.T, b backend) {
	s := open(t, b, setup{})
	ann := s.browser()
	id := ann.login("/verbs", "ann")
	ann.during(func(x *hosts.Request, w http.ResponseWriter) {
		require.Same(t, s.manager, x.Manager())
		ctx := context.WithValue(x, requestID{}, 7) // as other middleware wraps it
		require.Same(t, s.manager, hosts.RequestFrom(ctx).Manager())
		session, err := s.manager.GetSessionFromCookie(ctx)
		require.NoError(t, err)
		require.Equal(t, id, session.ID)
	}).is(http.StatusOK)
	ann.call("/call", s.mw.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m := hosts.RequestFrom(r.Context()).Manager()
		require.Same(t, s.manager, m)
		session, err := m.GetSessionFromCookie(r.Context())
		require.NoError(t, err)
		require.Equal(t, id, session.ID)
	})).ServeHTTP).is(http.StatusOK)
	require.Nil(t, hosts.RequestFrom(t.Context()))
}

func newID(t *testing.T, b backend) {
	s := open(t, b, setup{})
	ann := s.browser()
	ann.login("/verbs", "ann")
	seen := map[core.ID]bool{}
	ann.during(func(x *hosts.Request, w http.ResponseWriter) {
		for range 1000 {
			session, err := s.manager.Create(x)
			require.NoError(t, err)
			require.False(t, seen[session.ID])
			seen[session.ID] = true
			require.Len(t, session.ID.String(), core.IDLen)
		}
	}).is(http.StatusOK)
	require.Len(t, seen, 1000)
	ann.get("/verbs/me").is(http.StatusOK) // and what was there is still there
}

// someValues has every type that a session takes by itself.
func someValues() map[string]any {
	berlin := time.FixedZone("", 2*60*60)
	return map[string]any{
		"nil": nil, "bool": true, "int": -42, "int64": int64(1) << 62, "uint64": ^uint64(0), "float": 2.5,
		"string": "grüße", "not utf8": "\xff\x00", "bytes": []byte{0, 255}, "roles": []string{"admin", "editor"},
		"ids": []int{1, 2, 3}, "list": []any{"a", 1, int64(2), nil}, "duration": 90 * time.Minute,
		"time": time.Date(2031, 1, 2, 3, 4, 5, 123456789, berlin), "texts": map[string]string{"theme": "dark"},
		"nested": map[string]any{"a": map[string]any{"b": []any{map[string]any{"deep": 1.5}}}, "when": time.Date(1999, 1, 1, 0, 0, 0, 1, time.UTC)},
	}
}

// sameValues compares values with their Go types, and times by their moment
// and offset.
func sameValues(t *testing.T, want, got any) {
	t.Helper()
	require.Equal(t, fmt.Sprintf("%#v", plainTimes(want)), fmt.Sprintf("%#v", plainTimes(got)))
}

func plainTimes(v any) any {
	switch v := v.(type) {
	case time.Time:
		return v.Format(time.RFC3339Nano)
	case map[string]any:
		out := map[string]any{}
		for name, e := range v {
			out[name] = plainTimes(e)
		}
		return out
	}
	return v
}

func anyValues(t *testing.T, b backend) {
	s := open(t, b, setup{})
	ann, ben := s.browser(), s.browser()
	ann.login("/verbs", "ann")
	ann.during(func(x *hosts.Request, w http.ResponseWriter) {
		session := s.session(x)
		session.Data = someValues()
		require.NoError(t, s.manager.Save(x, session))
	}).is(http.StatusOK)
	ben.visiting(func(v *nethttp.Session, w http.ResponseWriter) {
		for name, value := range someValues() {
			require.NoError(t, v.Put(name, value))
		}
	}).is(http.StatusOK)
	for _, visitor := range []*browser{ann, ben} {
		visitor.during(func(x *hosts.Request, w http.ResponseWriter) {
			sameValues(t, someValues(), s.session(x).Data)
		}).is(http.StatusOK)
	}
	ann.during(func(x *hosts.Request, w http.ResponseWriter) {
		for _, bad := range []any{make(chan int), struct{ A int }{1}, func() {}, int8(3), []any{new(int)}} {
			session := s.session(x)
			session.Data["int"] = 7
			session.Data["culprit"] = bad
			err := s.manager.Save(x, session)
			require.ErrorIs(t, err, core.ErrType)
			require.ErrorContains(t, err, `"culprit"`)
		}
		sameValues(t, someValues(), s.session(x).Data) // untouched
	}).is(http.StatusOK)
}

func saveStores(t *testing.T, b backend) {
	s := open(t, b, setup{})
	ann := s.browser()
	ann.during(func(x *hosts.Request, w http.ResponseWriter) {
		session, err := s.manager.Create(x)
		require.NoError(t, err)
		session.Data["cart"] = "book"
		_, err = s.stored(session.ID)
		require.ErrorIs(t, err, core.ErrNotFound, "before Save")
		require.NoError(t, s.manager.Save(x, session))
		require.NoError(t, s.manager.SetCookie(x, session))
	}).is(http.StatusOK)
	ann.during(func(x *hosts.Request, w http.ResponseWriter) {
		session := s.session(x)
		require.Equal(t, "book", session.Data["cart"])
		session.Data["cart"] = "two books" // and no Save
	}).is(http.StatusOK)
	ann.visiting(func(v *nethttp.Session, w http.ResponseWriter) {
		cart, err := v.Get("cart")
		require.NoError(t, err)
		require.Equal(t, "book", cart)
	}).is(http.StatusOK)
}

func setCookie(t *testing.T, b backend) {
	s := open(t, b, setup{})
	ann := s.browser()
	var id core.ID
	a := ann.during(func(x *hosts.Request, w http.ResponseWriter) {
		session, err := s.manager.Create(x)
		require.NoError(t, err)
		require.ErrorIs(t, s.manager.SetCookie(x, session), hosts.ErrNoSecret, "before Save")
		require.NoError(t, s.manager.Save(x, session))
		id = session.ID
		require.Empty(t, w.Header()["Set-Cookie"])
		require.NoError(t, s.manager.SetCookie(x, session))
		loaded, err := s.manager.Load(x, id)
		require.NoError(t, err)
		require.ErrorIs(t, s.manager.SetCookie(x, loaded), hosts.ErrNoSecret, "of a session that was loaded by its ID")
	}).is(http.StatusOK)
	raw, err := base64.RawURLEncoding.DecodeString(a.cookie().Value)
	require.NoError(t, err)
	require.NotContains(t, string(raw), string(id[:]))
	opened, _ := openCookie(t, a.cookie().Value, key, "")
	require.Equal(t, id, opened)
	require.Equal(t, "no-store", a.Header.Get("Cache-Control"))
	require.Equal(t, id, ann.get("/verbs/me").is(http.StatusOK).id())
}

func nestedMapAndTime(t *testing.T, b backend) {
	s := open(t, b, setup{})
	ann := s.browser()
	ann.login("/verbs", "ann")
	now := time.Now()
	ann.during(func(x *hosts.Request, w http.ResponseWriter) {
		session := s.session(x)
		session.Data["preferences"] = map[string]any{"theme": "dark", "language": "en"}
		session.Data["last_activity"] = now
		require.NoError(t, s.manager.Save(x, session))
	}).is(http.StatusOK)
	ann.during(func(x *hosts.Request, w http.ResponseWriter) {
		data := s.session(x).Data
		require.Equal(t, map[string]any{"theme": "dark", "language": "en"}, data["preferences"])
		require.True(t, now.Equal(data["last_activity"].(time.Time)))
		data["preferences"].(map[string]any)["theme"] = "light"
		session := s.session(x) // another view of it has not changed
		require.Equal(t, "dark", session.Data["preferences"].(map[string]any)["theme"])
		session.Data["preferences"].(map[string]any)["theme"] = "light"
		require.NoError(t, s.manager.Save(x, session), "a change deep inside is seen")
	}).is(http.StatusOK)
	ann.during(func(x *hosts.Request, w http.ResponseWriter) {
		require.Equal(t, "light", s.session(x).Data["preferences"].(map[string]any)["theme"])
	}).is(http.StatusOK)
}

func setWithoutLoading(t *testing.T, b backend) {
	s := open(t, b, setup{})
	ann := s.browser()
	id := ann.login("/verbs", "ann")
	ann.during(func(x *hosts.Request, w http.ResponseWriter) {
		session := s.session(x) // holds the old state while others write
		session.Data["mine"] = 1
		var all sync.WaitGroup
		errs := make([]error, 20)
		for i := range errs {
			all.Go(func() { errs[i] = s.manager.Set(t.Context(), id, fmt.Sprint("other ", i), i) })
		}
		all.Wait()
		require.NoError(t, errors.Join(errs...))
		require.NoError(t, s.manager.Save(x, session))
	}).is(http.StatusOK)
	ann.during(func(x *hosts.Request, w http.ResponseWriter) {
		data := s.session(x).Data
		require.Equal(t, 1, data["mine"])
		for i := range 20 {
			require.Equal(t, i, data[fmt.Sprint("other ", i)])
		}
	}).is(http.StatusOK)
	require.ErrorIs(t, s.manager.Set(t.Context(), core.ID{9}, "key", "value"), core.ErrNotFound)
	require.ErrorIs(t, s.manager.Set(t.Context(), id, "key", new(int)), core.ErrType)
}

func readBackUnchanged(t *testing.T, b backend) {
	s := open(t, b, setup{})
	id := s.browser().login("/verbs", "ann")
	for name, value := range someValues() {
		require.NoError(t, s.manager.Set(t.Context(), id, name, value))
	}
	for name, value := range someValues() {
		got, err := s.manager.Get(t.Context(), id, name)
		require.NoError(t, err)
		sameValues(t, value, got)
	}
}

func missingValueOrSession(t *testing.T, b backend) {
	s := open(t, b, setup{})
	ann := s.browser()
	id := ann.login("/verbs", "ann")
	value, err := s.manager.Get(t.Context(), id, "user_id")
	require.NoError(t, err)
	require.Equal(t, "ann", value)
	_, err = s.manager.Get(t.Context(), id, "nothing")
	require.ErrorIs(t, err, hosts.ErrNoValue)
	require.NotErrorIs(t, err, core.ErrNotFound)
	_, err = s.manager.Get(t.Context(), core.ID{9}, "user_id")
	require.ErrorIs(t, err, core.ErrNotFound)
	require.NotErrorIs(t, err, hosts.ErrNoValue)
	ann.visiting(func(v *nethttp.Session, w http.ResponseWriter) {
		_, err := v.Get("nothing")
		require.ErrorIs(t, err, hosts.ErrNoValue)
	}).is(http.StatusOK)
}

func deletedFromData(t *testing.T, b backend) {
	s := open(t, b, setup{})
	ann := s.browser()
	id := ann.login("/verbs", "ann")
	require.NoError(t, s.manager.Set(t.Context(), id, "temporary", 1))
	require.NoError(t, s.manager.Set(t.Context(), id, "lasting", 2))
	ann.during(func(x *hosts.Request, w http.ResponseWriter) {
		session := s.session(x)
		require.NoError(t, s.manager.Set(t.Context(), id, "later", 3)) // by another request meanwhile
		delete(session.Data, "temporary")
		delete(session.Data, "never there")
		require.NoError(t, s.manager.Save(x, session))
	}).is(http.StatusOK)
	ann.during(func(x *hosts.Request, w http.ResponseWriter) {
		data := s.session(x).Data
		require.NotContains(t, data, "temporary")
		require.Equal(t, []any{2, 3, "ann"}, []any{data["lasting"], data["later"], data["user_id"]})
	}).is(http.StatusOK)
}

func deleteByID(t *testing.T, b backend) {
	s := open(t, b, setup{})
	ann := s.browser()
	id := ann.login("/verbs", "ann")
	require.NoError(t, s.manager.Set(t.Context(), id, "key", 1))
	require.NoError(t, s.manager.Delete(t.Context(), id, "key"))
	require.NoError(t, s.manager.Delete(t.Context(), id, "key"), "a missing value is no error")
	_, err := s.manager.Get(t.Context(), id, "key")
	require.ErrorIs(t, err, hosts.ErrNoValue)
	_, err = s.manager.Get(t.Context(), id, "user_id")
	require.NoError(t, err)
	require.ErrorIs(t, s.manager.Delete(t.Context(), core.ID{9}, "key"), core.ErrNotFound)
}

func clearByID(t *testing.T, b backend) {
	s := open(t, b, setup{})
	ann, ben := s.browser(), s.browser()
	id := ann.login("/verbs", "ann")
	require.NoError(t, s.manager.Clear(t.Context(), id))
	require.Equal(t, id, ann.get("/verbs/me").is(http.StatusOK).id())
	ben.login("/middleware", "ben")
	ben.visiting(func(v *nethttp.Session, w http.ResponseWriter) { require.NoError(t, v.Clear()) }).is(http.StatusOK)
	for user, visitor := range map[string]*browser{"ann": ann, "ben": ben} {
		visitor.during(func(x *hosts.Request, w http.ResponseWriter) {
			require.Empty(t, s.session(x).Data)
			require.Equal(t, user, s.session(x).UserID, "still signed in")
		}).is(http.StatusOK)
	}
	require.ErrorIs(t, s.manager.Clear(t.Context(), core.ID{9}), core.ErrNotFound)
}
