package demo_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/cmd/sessionctl/demo"
	_ "github.com/rockstar-web/sessions/stores/all"
	"github.com/stretchr/testify/require"
)

// stopTime is more than a demo that has nothing to do needs to stop.
const stopTime = 10 * time.Second

// stores are the backends that every script runs on.
func stores(t *testing.T, test func(t *testing.T, store string)) {
	dir := t.TempDir()
	for kind, store := range map[string]string{
		"memory": "memory:", "file": "file:" + dir + "/sessions", "database": "sqlite:" + dir + "/sessions.db",
	} {
		t.Run(kind, func(t *testing.T) { test(t, store) })
	}
}

// A running demo.
type running struct {
	url  string
	warn *bytes.Buffer // to be read after stop
	stop func()        // waits for its end, and requires that it is a good one
}

func start(t *testing.T, o demo.Options) *running {
	t.Helper()
	o.Addr = "127.0.0.1:0"
	ctx, cancel := context.WithCancel(t.Context())
	out, printed := io.Pipe()
	r := &running{warn: new(bytes.Buffer)}
	ended := make(chan error, 1)
	go func() {
		err := demo.Run(ctx, o, printed, r.warn)
		printed.CloseWithError(err)
		ended <- err
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	r.url = strings.TrimSuffix(strings.TrimSpace(line), "/")
	r.stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-ended:
			require.NoError(t, err)
		case <-time.After(stopTime):
			t.Error("the demo does not stop")
		}
	})
	t.Cleanup(r.stop)
	return r
}

// A visitor is one browser.
type visitor struct {
	http   *http.Client
	url    string
	host   string // of the Host field, if another than in url
	header http.Header
}

func (r *running) visitor() *visitor {
	jar, _ := cookiejar.New(nil)
	return &visitor{http: &http.Client{Jar: jar}, url: r.url, header: http.Header{}}
}

// do sends a request and returns the answer with its whole body.
func (v *visitor) do(t *testing.T, method, path, body string) (*http.Response, string) {
	t.Helper()
	return v.within(t, t.Context(), method, path, body)
}

func (v *visitor) within(t *testing.T, ctx context.Context, method, path, body string) (*http.Response, string) {
	t.Helper()
	q, err := http.NewRequestWithContext(ctx, method, v.url+path, strings.NewReader(body))
	require.NoError(t, err)
	q.Header = v.header.Clone()
	q.Host = v.host
	a, err := v.http.Do(q)
	if err != nil {
		return nil, err.Error()
	}
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	require.NoError(t, err)
	return a, string(text)
}

// post submits a form and follows where it leads.
func (v *visitor) post(t *testing.T, path string, form url.Values) (*http.Response, string) {
	t.Helper()
	sender := *v
	sender.header = v.header.Clone()
	sender.header.Set("Content-Type", "application/x-www-form-urlencoded")
	return sender.do(t, "POST", path, form.Encode())
}

// api expects a status and a part of the answer, and returns it decoded.
func (v *visitor) api(t *testing.T, method, path, body string, status int, part string) map[string]any {
	t.Helper()
	a, text := v.do(t, method, path, body)
	require.NotNil(t, a, text)
	require.Equal(t, status, a.StatusCode, text)
	require.Contains(t, text, part)
	require.Equal(t, "application/json", a.Header.Get("Content-Type"))
	require.Equal(t, "no-store", a.Header.Get("Cache-Control"))
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	out := map[string]any{}
	require.NoError(t, d.Decode(&out), text)
	return out
}

func (v *visitor) login(t *testing.T, user string) {
	t.Helper()
	password := map[string]string{"alice": "wonderland", "bob": "builder"}[user]
	v.api(t, "POST", "/api/login", `{"user":"`+user+`","password":"`+password+`"}`, 200, "Login successful")
}

func (v *visitor) cookies(t *testing.T) []*http.Cookie {
	t.Helper()
	u, err := url.Parse(v.url)
	require.NoError(t, err)
	return v.http.Jar.Cookies(u)
}

// resumed tells of every session that is resumed.
type resumed chan struct{}

func (c resumed) Enabled(context.Context, slog.Level) bool { return true }
func (c resumed) WithAttrs([]slog.Attr) slog.Handler       { return c }
func (c resumed) WithGroup(string) slog.Handler            { return c }
func (c resumed) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "session resumed" {
		c <- struct{}{}
	}
	return nil
}
