package nethttp_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

// browser keeps the one cookie, which a test can copy.
type browser struct {
	s      *site
	cookie string
	tenant string      // that it talks to
	header http.Header // more to send
}

func (s *site) browser() *browser { return &browser{s: s, header: http.Header{}} }

func (b *browser) copy() *browser {
	return &browser{s: b.s, cookie: b.cookie, tenant: b.tenant, header: b.header.Clone()}
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
	err    error
}

// take keeps the answer's cookie as a browser does.
func (b *browser) take(resp *http.Response) {
	for _, c := range resp.Cookies() {
		if c.Name != cookieName {
			continue
		}
		if b.cookie = c.Value; c.MaxAge < 0 {
			b.cookie = ""
		}
		if b.cookie != "" {
			b.s.cookies.Store(b.cookie, b.tenant)
		}
	}
}

// send has one request of any method served by h.
func (b *browser) send(ctx context.Context, method string, h http.HandlerFunc) answer {
	path := fmt.Sprint("/", b.s.number.Add(1))
	b.s.routes.Store(path, h)
	req, err := http.NewRequestWithContext(ctx, method, b.s.server.URL+path, nil)
	if err != nil {
		return answer{err: err}
	}
	for name, values := range b.header {
		req.Header[name] = values
	}
	if b.cookie != "" {
		req.Header.Set("Cookie", cookieName+"="+b.cookie)
	}
	resp, err := b.s.server.Client().Transport.RoundTrip(req)
	if err != nil {
		return answer{err: err}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	b.take(resp)
	return answer{resp.StatusCode, resp.Header, string(body), err}
}

func (b *browser) get(h http.HandlerFunc) answer {
	ctx, cancel := context.WithTimeout(b.s.t.Context(), patience)
	defer cancel()
	return b.send(ctx, http.MethodGet, h)
}

// visit asks for the session and has f use it; an error of f fails the test.
func (b *browser) visit(f func(v *nethttp.Session, w http.ResponseWriter) error) answer {
	ctx, cancel := context.WithTimeout(b.s.t.Context(), patience)
	defer cancel()
	return b.send(ctx, http.MethodPost, b.s.with(f)) // which no client sends twice
}

func (s *site) with(f func(v *nethttp.Session, w http.ResponseWriter) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, err := nethttp.From(r)
		if err == nil {
			err = f(v, w)
		}
		if s.note(err) != nil {
			s.t.Errorf("%s: %v", r.URL.Path, err)
		}
	}
}

// start is visit in the background.
func (b *browser) start(f func(v *nethttp.Session, w http.ResponseWriter) error) <-chan answer {
	answers := make(chan answer, 1)
	go func() { answers <- b.visit(f) }()
	return answers
}

// login signs in and returns the session's ID.
func (b *browser) login(user string) core.ID {
	b.s.t.Helper()
	require.Equal(b.s.t, 200, b.visit(func(v *nethttp.Session, _ http.ResponseWriter) error { return v.Login(user, 0) }).status)
	return b.id()
}

func (b *browser) put(name string, value any) answer {
	return b.visit(func(v *nethttp.Session, _ http.ResponseWriter) error { return v.Put(name, value) })
}

// id returns the session's ID, user the user, as a request sees them.
func (b *browser) id() (id core.ID) {
	b.visit(func(v *nethttp.Session, _ http.ResponseWriter) error { id = v.ID(); return nil })
	return id
}

func (b *browser) user() (user string) {
	b.visit(func(v *nethttp.Session, _ http.ResponseWriter) error { user = v.User(); return nil })
	return user
}

// value returns a value, or the error's text where there is none.
func (b *browser) value(name string) (value any) {
	b.visit(func(v *nethttp.Session, _ http.ResponseWriter) error {
		got, err := v.Get(name)
		if value = got; err != nil {
			value = err.Error()
		}
		return nil
	})
	return value
}

// refusal returns why the cookie opens no session.
func (b *browser) refusal() (err error) {
	b.visit(func(v *nethttp.Session, _ http.ResponseWriter) error { err = b.s.note(v.Refusal()); return nil })
	return err
}

// ours returns the Set-Cookie fields of the session.
func (a answer) ours() (fields []string) {
	for _, f := range a.header["Set-Cookie"] {
		if strings.HasPrefix(f, cookieName+"=") {
			fields = append(fields, f)
		}
	}
	return fields
}
