package frameworks

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

func (s *scene) abort() {
	a := once()
	a.Inside = []Layer{{Call: func(c Ctx) error {
		v, err := c.Session()
		if err == nil && v.User() == "" {
			if err = v.Put("flash", "sign in first"); err == nil {
				err = nethttp.ErrNotSignedIn
			}
		}
		return err
	}}, {Call: func(c Ctx) error {
		v, err := c.Session()
		if err == nil && v.User() == "" {
			s.t.Error("a layer behind the one that ended the request")
		}
		return err
	}}}
	b := s.serve(a)
	got := b.get("/user")
	require.Equal(s.t, http.StatusUnauthorized, got.status)
	require.Contains(s.t, got.body, "Please sign in.")
	require.True(s.t, got.setsCookie())
	require.Equal(s.t, 1, s.memory.Stats().Sessions)
}

func (s *scene) order() {
	var seen []string
	layer := func(name string) Layer {
		return Layer{Call: func(c Ctx) error {
			_, err := c.Session()
			seen = append(seen, fmt.Sprint(name, " ", err == nil))
			return nil
		}}
	}
	b := s.serve(App{Times: 1, Outside: []Layer{layer("a"), layer("b")}, Inside: []Layer{layer("c"), layer("d")}})
	require.Equal(s.t, "user:", b.get("/user").body)
	require.Equal(s.t, []string{"a false", "b false", "c true", "d true"}, seen)
}

func (s *scene) errorHandler() {
	a := once()
	a.OnError = func(c Ctx, err error) error {
		v, failed := c.Session()
		if failed == nil {
			failed = v.Put("flash", "failed: "+err.Error())
		}
		if failed != nil {
			return failed
		}
		return c.Redirect("/")
	}
	b := s.serve(a, Route{Path: "/fails", Handle: func(Ctx) error { return fmt.Errorf("no tea") }})
	got := b.get("/fails")
	require.Equal(s.t, http.StatusSeeOther, got.status, got.body)
	require.True(s.t, got.setsCookie())
	require.Equal(s.t, "failed: no tea", b.get("/").body)
}

func (s *scene) failures() {
	var err error
	b := s.serve(once(), Route{Path: "/fails", Handle: func(Ctx) error { return fmt.Errorf("the cart: %w", err) }})
	for _, err = range []error{core.ErrConflict, nethttp.ErrNotSignedIn, hosts.ErrBusy, core.ErrTooLarge, core.ErrBadUser} {
		status, text := nethttp.Failure(err)
		a := b.get("/fails")
		require.Equal(s.t, status, a.status, err)
		require.Contains(s.t, a.body, text)
		require.NotContains(s.t, a.body, "the cart")
	}
}

// faults of the program are logged, and visitors see nothing of them.
func (s *scene) faults() {
	channel := with(func(v *nethttp.Session) (string, error) { return "", v.Put("a", make(chan int)) })
	b := s.serve(once(), Route{Path: "/type", Handle: channel}, Route{Path: "/late", Handle: func(Ctx) error {
		return fmt.Errorf("the cart: %w", nethttp.ErrHeadersSent)
	}})
	for path, sentence := range map[string]string{
		"/type": "The server has made a mistake, and has logged it.",
		"/late": "The server has made a mistake, and has logged it.",
	} {
		a := b.get(path)
		require.Equal(s.t, http.StatusInternalServerError, a.status, path)
		require.Contains(s.t, a.body, sentence)
		require.NotContains(s.t, a.body, "chan")
		require.NotContains(s.t, a.body, "cart")
	}
	for _, logged := range []string{"a fault of the program", "chan int", "the cart"} {
		require.Contains(s.t, s.log.String(), logged)
	}
}

// discards: an error stores nothing of what its request has changed before, and
// what the error handler changes is stored.
func (s *scene) discards() {
	fails := Route{Path: "/fails", Handle: with(func(v *nethttp.Session) (string, error) {
		if err := errors.Join(v.Login("mallory", 0), v.Put("flash", "lost")); err != nil {
			return "", err
		}
		return "", errors.New("no tea")
	})}
	handled := once()
	handled.OnError = func(c Ctx, _ error) error {
		v, err := c.Session()
		if err == nil {
			err = v.Put("flash", "failed for user:"+v.User())
		}
		if err != nil {
			return err
		}
		return c.Text(http.StatusInternalServerError, "")
	}
	for _, user := range []string{"", "alice"} {
		b := s.serve(once(), fails)
		if user != "" {
			b.post("/login")
		}
		a := b.post("/fails")
		require.Equal(s.t, http.StatusInternalServerError, a.status)
		require.False(s.t, a.setsCookie())
		require.Equal(s.t, "user:"+user, b.get("/user").body)
		require.Equal(s.t, "no flash", b.get("/").body)

		s.serve(handled, fails)
		require.Equal(s.t, http.StatusInternalServerError, b.post("/fails").status)
		require.Equal(s.t, "failed for user:"+user, b.get("/").body)
		require.Equal(s.t, "user:"+user, b.get("/user").body)
	}
	require.Equal(s.t, 2, s.memory.Stats().Sessions)
}

// panics stores something in a handler that then panics.
var panics = Route{Path: "/panics", Handle: func(c Ctx) error {
	v, err := c.Session()
	if err == nil {
		err = v.Put("flash", "before the panic")
	}
	if err != nil {
		return err
	}
	panic("no tea")
}}

func (s *scene) panicOutside() {
	b := s.serve(App{Times: 1, Outside: []Layer{{Kind: Recover}}}, panics)
	a := b.get("/panics")
	require.Equal(s.t, http.StatusInternalServerError, a.status)
	require.False(s.t, a.setsCookie())
	require.Zero(s.t, s.memory.Stats().Sessions)
	require.Equal(s.t, "no flash", b.get("/").body)
}

func (s *scene) panicInside() {
	b := s.serve(App{Times: 1, Inside: []Layer{{Kind: Recover}}}, panics)
	require.Equal(s.t, http.StatusInternalServerError, b.get("/panics").status)
	want := "before the panic"
	if s.f.RecoverFails {
		want = "no flash"
	}
	require.Equal(s.t, want, b.get("/").body)
}

func (s *scene) timeout() {
	answered, late := make(chan struct{}, 2), make(chan error, 2)
	slow := Route{Path: "/slow", Timeout: 50 * time.Millisecond, Handle: func(c Ctx) error {
		v, err := c.Session()
		if err == nil {
			err = v.Put("flash", "in time")
		}
		if err != nil {
			return err
		}
		<-c.Context().Done()
		if s.f.GoesOn {
			<-answered
			late <- v.Put("flash", "too late")
			return nil
		}
		return c.Text(http.StatusServiceUnavailable, "too slow")
	}}
	b := s.serve(once(), slow)
	for _, user := range []string{"", "alice"} { // the first needs a cookie on the answer
		if user != "" {
			b.post("/login")
		}
		a := b.get("/slow")
		answered <- struct{}{}
		require.GreaterOrEqual(s.t, a.status, 400)
		if s.f.GoesOn {
			require.ErrorIs(s.t, <-late, nethttp.ErrCommitted)
		}
		require.Equal(s.t, "in time", b.get("/").body)
		require.Equal(s.t, "user:"+user, b.get("/user").body)
	}
}

func (s *scene) context() {
	b := s.serve(once(), Route{Path: "/context", Handle: func(c Ctx) error {
		v, err := nethttp.FromContext(c.Context())
		if err != nil {
			return err
		}
		own, err := s.manager.GetSessionFromCookie(c.Context())
		if err != nil {
			return err
		}
		return c.Text(http.StatusOK, fmt.Sprint(v.User(), own.UserID, v.ID() == own.ID))
	}})
	b.post("/login")
	require.Equal(s.t, "alicealicetrue", b.get("/context").body)
}

func (s *scene) missing() {
	var err error
	b := s.serve(App{}, Route{Path: "/from", Handle: func(c Ctx) error {
		_, err = c.Session()
		return err
	}})
	require.Equal(s.t, http.StatusInternalServerError, b.get("/from").status)
	require.ErrorIs(s.t, err, nethttp.ErrNoHandler)
	require.ErrorContains(s.t, err, s.f.Remedy)
}

func (s *scene) twice() {
	b := s.serve(App{Times: 2})
	b.get("/add")
	b.post("/login")
	before := s.calls.Load()
	require.Equal(s.t, "2", b.get("/add").body)
	require.Equal(s.t, before+2, s.calls.Load(), "one load, one save")
	require.Equal(s.t, http.StatusNotFound, b.get("/nowhere").status)
	require.Equal(s.t, "user:alice", b.get("/account").body)
}
