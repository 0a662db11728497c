package tests

import (
	"encoding/gob"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/migrate"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

// key is of no other use.
var key = core.NewSecret("\x92\x1e\xb4moving tests, not a secret!!!"[:32])

// Cart is a type of the application.
type Cart struct {
	Items []string
	Sum   float64
}

func init() {
	gob.Register(Cart{})
	gob.Register(time.Time{})
}

// valuesOf are what an old session of the nth visitor holds.
func valuesOf(n int) map[string]any {
	return map[string]any{
		"user": fmt.Sprintf("user%d", n), "visits": n, "ratio": float64(n) / 3, "admin": n%7 == 0, "raw": []byte{byte(n), 0, 255},
		"since": time.Unix(int64(n)*1000, 5).UTC(), "cart": Cart{[]string{"tea", fmt.Sprint(n)}, 2.5},
	}
}

// server is a server with the old code: sign a visitor in, show who is signed in,
// store something, sign out.
type server struct {
	name    string
	handler http.Handler // answers /login/N, /, /touch and /logout, and says who is signed in
	source  migrate.Source
	cookie  string
	refuses bool       // it knows what was ended elsewhere
	kept    func() int // how many sessions its store has
}

// clock is the system's, moved.
type clock struct {
	mu    sync.Mutex
	ahead time.Duration
}

func (c *clock) Now() core.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return core.TimeOf(time.Now().Add(c.ahead))
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

// fleet are servers with the new code.
type fleet struct {
	store hosts.Store
	clock *clock
}

func newFleet(t *testing.T) *fleet {
	store, err := cachestore.Open(cachestore.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	return &fleet{store, new(clock)}
}

// open returns the handler of one more server of the fleet.
func (f *fleet) open(t *testing.T, old *server, keepOld bool) http.Handler {
	m, err := hosts.New(f.store, hosts.Config{Key: key, AllowInsecure: true, Clock: f.clock})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	mw, err := nethttp.New(m, nethttp.Options{})
	require.NoError(t, err)
	mover, err := migrate.New(mw, migrate.Options{
		Source: old.source, Key: key, KeepOld: keepOld,
		User:   func(values map[string]any) (string, bool) { user, ok := values["user"].(string); return user, ok },
		Values: map[string]func(any) (any, error){"cart": migrate.Of[Cart]},
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
		OnUnfit: func(name string, err error) {
			t.Errorf("%s of %s does not fit: %v", name, old.name, err)
		},
	})
	require.NoError(t, err)
	return mover.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, err := nethttp.From(r)
		if err == nil && r.URL.Path == "/logout" {
			err = s.Destroy()
		}
		if err == nil && r.URL.Path == "/touch" && s.User() != "" {
			_, err = s.Add("touched", 1)
		}
		if err == nil && s.User() != "" {
			err = check(s)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		fmt.Fprint(w, s.User())
	}))
}

// check compares what moved with what was there.
func check(s *nethttp.Session) error {
	var n int
	if _, err := fmt.Sscanf(s.User(), "user%d", &n); err != nil {
		return err
	}
	for name, want := range valuesOf(n) {
		var got any
		var err error
		if name == "cart" {
			got, err = hosts.Get[Cart](s, name)
		} else {
			got, err = s.Get(name)
		}
		if err != nil || fmt.Sprintf("%T %v", got, got) != fmt.Sprintf("%T %v", want, want) {
			return fmt.Errorf("%s is %#v and was %#v: %v", name, got, want, err)
		}
	}
	return nil
}

// jar is a browser's.
type jar map[string]string

// get does a request and returns what the answer says.
func (j jar) get(t *testing.T, h http.Handler, path string) string {
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	for name, value := range j {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Errorf("%s: %d %s", path, w.Code, w.Body)
	}
	for _, c := range w.Result().Cookies() {
		if c.MaxAge < 0 || c.Value == "" || !c.Expires.IsZero() && c.Expires.Before(time.Now()) {
			delete(j, c.Name)
		} else {
			j[c.Name] = c.Value
		}
	}
	return w.Body.String()
}

func (j jar) clone() jar { return maps.Clone(j) }
