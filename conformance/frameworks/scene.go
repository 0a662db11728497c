package frameworks

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/conformance"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

const (
	patience   = 20 * time.Second // for what must happen
	cookieName = "sid"
)

// scene is one application over a memory store whose calls the test can make fail.
type scene struct {
	t       *testing.T
	f       Framework
	memory  *cachestore.Store
	manager *hosts.Manager
	mw      *nethttp.Middleware
	log     logbook
	failing atomic.Value // the conformance.Verb that fails
	calls   atomic.Int64 // of the store
	ahead   atomic.Int64 // milliseconds by which the clock is
	url     string
}

func newScene(t *testing.T, f Framework) *scene {
	s := &scene{t: t, f: f}
	s.failing.Store(conformance.Verb(""))
	var err error
	s.memory, err = cachestore.Open(cachestore.Options{})
	require.NoError(t, err)
	s.manager, err = hosts.New(conformance.Faulty(s.memory, func(_ int, v conformance.Verb) conformance.Fault {
		s.calls.Add(1)
		if v == s.failing.Load() {
			return conformance.Fail
		}
		return conformance.Pass
	}), hosts.Config{Key: core.NewSecret("\x8f\x1bA test key, really not for any use"[:32]), CookieName: cookieName,
		AllowInsecure: true, NoCleanup: true, IdleTimeout: idle, Clock: ahead{&s.ahead}, Logger: slog.New(slog.NewTextHandler(&s.log, nil))})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.manager.Close()) })
	s.options(nethttp.Options{})
	return s
}

// ahead is a clock that a test moves on.
type ahead struct{ by *atomic.Int64 }

func (c ahead) Now() core.Time { return core.TimeOf(time.Now()) + core.Time(c.by.Load()) }

// options has the applications that are served from now on use others.
func (s *scene) options(o nethttp.Options) {
	var err error
	s.mw, err = nethttp.New(s.manager, o)
	require.NoError(s.t, err)
}

// serve starts an application with the usual routes beside those it is given.
func (s *scene) serve(a App, routes ...Route) *browser {
	a.Middleware = s.mw
	a.Routes = append(routes, usual()...)
	s.url = s.f.Serve(s.t, a)
	return s.browser()
}

// once is an application that uses the middleware as it should.
func once() App { return App{Times: 1} }

type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// browser is a visitor, who keeps the cookie and follows no redirect.
type browser struct {
	s      *scene
	client *http.Client
	header http.Header // on each request
	form   string      // in each POST
	mu     sync.Mutex
	value  string // of the session cookie
}

func (s *scene) browser() *browser {
	b := &browser{s: s, header: http.Header{}, client: &http.Client{
		Timeout: patience, Transport: &http.Transport{DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	s.t.Cleanup(b.client.CloseIdleConnections) // servers wait for them at their end
	return b
}

// cookie is what the browser sends.
func (b *browser) cookie() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.value == "" {
		return "other=1"
	}
	return cookieName + "=" + b.value
}

// answer is what a browser got.
type answer struct {
	status int
	header http.Header
	raw    string
	body   string // without white space around it
}

func (a answer) setsCookie() bool { return len(a.header["Set-Cookie"]) > 0 }

func (b *browser) get(path string) answer  { return b.ask(http.MethodGet, path) }
func (b *browser) post(path string) answer { return b.ask(http.MethodPost, path) }

func (b *browser) ask(method, path string) answer {
	resp := b.begin(method, path)
	body, err := io.ReadAll(resp.Body)
	require.NoError(b.s.t, err)
	require.NoError(b.s.t, resp.Body.Close())
	return answer{resp.StatusCode, resp.Header, string(body), strings.TrimSpace(string(body))}
}

// begin returns an answer whose body has yet to come.
func (b *browser) begin(method, path string) *http.Response {
	r, err := http.NewRequest(method, b.s.url+path, nil)
	require.NoError(b.s.t, err)
	r.Header = b.header.Clone()
	if method == http.MethodPost && b.form != "" {
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(b.form)), int64(len(b.form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("Cookie", b.cookie())
	r.Header.Set("Accept-Encoding", "gzip")
	resp, err := b.client.Do(r)
	require.NoError(b.s.t, err)
	for _, c := range resp.Cookies() {
		if c.Name == cookieName {
			b.mu.Lock()
			b.value = c.Value
			b.mu.Unlock()
		}
	}
	return resp
}
