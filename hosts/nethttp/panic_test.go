package nethttp_test

import (
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

// recovering is the usual middleware.
func recovering(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if recover() != nil {
				w.WriteHeader(http.StatusInternalServerError)
				fmt.Fprint(w, "recovered")
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// TestAPanicCommitsNothing before the first byte.
func TestAPanicCommitsNothing(t *testing.T) {
	for name, value := range map[string]any{"panic": "handler gave up", "abort": http.ErrAbortHandler} {
		for _, o := range []setup{{}, {outside: recovering}} {
			s := open(t, o)
			b := s.browser()
			id := b.login("alice")
			before, _ := s.stored(id)
			s.counts()
			kept := make(chan *nethttp.Session, 1)
			a := b.visit(func(v *nethttp.Session, w http.ResponseWriter) error {
				kept <- v
				_ = v.Put("n", 1)
				_ = v.Login("bob", 0)
				panic(value)
			})
			require.Equal(t, [3]int64{1, 0, 0}, s.counts(), name)
			after, _ := s.stored(id)
			require.Equal(t, before, after)
			require.Equal(t, "alice", b.user())
			require.ErrorIs(t, await(t, kept).Put("n", 2), nethttp.ErrCommitted)
			if o.outside == nil {
				require.Error(t, a.err)
				continue
			}
			require.Equal(t, 500, a.status)
			require.Equal(t, "recovered", a.body)
			require.Empty(t, a.header["Set-Cookie"])
		}
	}
}

// TestAPanicRecoveredInsideIsAnAnswer like any other.
func TestAPanicRecoveredInsideIsAnAnswer(t *testing.T) {
	s := open(t, setup{inside: recovering})
	b := s.browser()
	a := b.visit(func(v *nethttp.Session, w http.ResponseWriter) error {
		_ = v.Put("n", 1)
		panic("handler gave up")
	})
	require.Equal(t, 500, a.status)
	require.Equal(t, 1, b.value("n"))
}

func TestDestroySurvivesAPanic(t *testing.T) {
	s := open(t, setup{})
	b := s.browser()
	id := b.login("alice")
	a := b.visit(func(v *nethttp.Session, w http.ResponseWriter) error {
		if err := v.Destroy(); err != nil {
			return err
		}
		if _, lives := s.stored(id); lives {
			t.Error("Destroy waits for the commit")
		}
		_ = v.Put("n", 1)
		panic(http.ErrAbortHandler)
	})
	require.Error(t, a.err)
	require.Empty(t, s.all())
	require.ErrorIs(t, b.refusal(), core.ErrNotFound)
}

// TestAPanicAfterTheFirstByte keeps what was stored before it, and stores no more.
func TestAPanicAfterTheFirstByte(t *testing.T) {
	s := open(t, setup{})
	b := s.browser()
	b.login("alice")
	a := b.visit(func(v *nethttp.Session, w http.ResponseWriter) error {
		_ = v.Put("before", 1)
		_, _ = io.WriteString(w, "half")
		_ = http.NewResponseController(w).Flush()
		_ = v.Put("after", 1)
		panic(http.ErrAbortHandler)
	})
	require.Equal(t, 200, a.status)
	require.Error(t, a.err, "the body is cut off")
	require.Equal(t, 1, b.value("before"))
	require.Equal(t, "no value of that name in the session", b.value("after"))
}
