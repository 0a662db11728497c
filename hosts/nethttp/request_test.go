package nethttp_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"reflect"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

// changed has a value for each exported field of a request that a handler writes.
var changed = http.Request{
	Method: "PURGE", URL: &url.URL{Path: "/changed"}, Proto: "HTTP/7.5", ProtoMajor: 7, ProtoMinor: 5,
	Header: http.Header{"X-Changed": {"1"}}, Body: io.NopCloser(bytes.NewReader(nil)), GetBody: func() (io.ReadCloser, error) { return nil, nil },
	ContentLength: 75, TransferEncoding: []string{"gzip"}, Close: true, Host: "changed.test",
	Form: url.Values{"a": {"1"}}, PostForm: url.Values{"b": {"2"}}, MultipartForm: &multipart.Form{}, Trailer: http.Header{"X-End": {"1"}},
	RemoteAddr: "192.0.2.75:75", RequestURI: "/changed", TLS: &tls.ConnectionState{},
	Response: &http.Response{}, Pattern: "/changed/{id}",
}

// change writes to every field of a request, the unexported ones by what Go
// offers, and returns what they show then.
func change(t *testing.T, r *http.Request) map[string]string {
	mux := http.NewServeMux()
	mux.HandleFunc("/{id}", func(_ http.ResponseWriter, r *http.Request) { r.SetPathValue("other", "2") })
	mux.ServeHTTP(httptest.NewRecorder(), r)
	from, to := reflect.ValueOf(changed), reflect.ValueOf(r).Elem()
	for i := range to.NumField() {
		if name := to.Type().Field(i).Name; name == "Cancel" { // deprecated, and still there
			to.Field(i).Set(reflect.ValueOf(make(<-chan struct{})))
		} else if to.Field(i).CanSet() {
			require.False(t, from.Field(i).IsZero(), "a field that this test does not know: %s", name)
			to.Field(i).Set(from.Field(i))
		} else {
			require.False(t, to.Field(i).IsZero(), "a field that this test does not know: %s", name)
		}
	}
	return fieldsOf(r)
}

// fieldsOf prints the fields of a request, but for its context.
func fieldsOf(r *http.Request) map[string]string {
	shown, v := map[string]string{}, reflect.ValueOf(r).Elem()
	for i := range v.NumField() {
		if name := v.Type().Field(i).Name; name != "ctx" {
			shown[name] = fmt.Sprintf("%v", v.Field(i))
		}
	}
	return shown
}

// TestTheRequestIsLeftAsTheHandlerLeftIt, for net/http and for middlewares
// outside, as without us.
func TestTheRequestIsLeftAsTheHandlerLeftIt(t *testing.T) {
	s := open(t, setup{})
	b := s.browser()
	b.login("alice")
	for name, wrap := range map[string]func(http.Handler) http.Handler{
		"nothing":        func(next http.Handler) http.Handler { return next },
		"Handler":        s.mw.Handler,
		"Require":        s.mw.Require,
		"second Handler": func(next http.Handler) http.Handler { return s.mw.Handler(s.mw.Handler(next)) },
		"another manager": func(next http.Handler) http.Handler {
			return s.mw.Handler(hostNamed(t, "staff", nethttp.Options{}).Handler(next))
		},
	} {
		for _, panics := range []bool{false, true} {
			t.Run(fmt.Sprint(name, "/panics=", panics), func(t *testing.T) {
				r := httptest.NewRequestWithContext(context.WithValue(t.Context(), outerKey{}, name), "GET", "/75", nil)
				r.Header.Set("Cookie", cookieName+"="+b.cookie)
				ctx := r.Context()
				var want map[string]string
				recovering(wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					want = change(t, r)
					if panics {
						panic("handler gave up")
					}
				}))).ServeHTTP(httptest.NewRecorder(), r)
				require.NotEmpty(t, want)
				require.Equal(t, want, fieldsOf(r))
				require.Equal(t, "75", r.PathValue("id"))
				require.Equal(t, "2", r.PathValue("other"))
				require.Equal(t, ctx, r.Context(), "its context is its own")
			})
		}
	}
}

// TestAnUploadLeavesNoFile once its request is over.
func TestAnUploadLeavesNoFile(t *testing.T) {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("file", "large.bin")
	require.NoError(t, err)
	_, err = part.Write(make([]byte, 64<<10))
	require.NoError(t, err)
	require.NoError(t, form.Close())

	for name, c := range map[string]struct {
		setup
		after func(w http.ResponseWriter, r *http.Request)
	}{
		"answer":    {setup{}, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "thanks") }},
		"HTTP/2":    {setup{http2: true}, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "thanks") }},
		"no answer": {setup{}, func(http.ResponseWriter, *http.Request) {}},
		"panic":     {setup{outside: recovering}, func(http.ResponseWriter, *http.Request) { panic("handler gave up") }},
		"bypass": {setup{outside: under(outers["bare"].wrap)}, func(_ http.ResponseWriter, r *http.Request) {
			if v, err := nethttp.From(r); err != nil || v.Login("alice", 0) != nil {
				t.Error(err)
			}
			fmt.Fprint(outerOf(r), "thanks")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			t.Setenv("TMPDIR", dir)
			s := open(t, c.setup)
			s.routes.Store("/upload", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if err := r.ParseMultipartForm(1 << 10); err != nil {
					t.Error(err)
				}
				if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
					t.Error("the upload is too small for a file", files, err)
				}
				c.after(w, r)
			}))
			resp, err := s.server.Client().Post(s.server.URL+"/upload", form.FormDataContentType(), bytes.NewReader(body.Bytes()))
			require.NoError(t, err)
			_, err = io.Copy(io.Discard, resp.Body)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			s.server.Close() // waits for the end of the request
			files, err := os.ReadDir(dir)
			require.NoError(t, err)
			require.Empty(t, files)
		})
	}
}

// TestTimeoutsShareNoRequest: a handler that is given up, inside or outside of
// ours, goes on with a request that nobody writes to.
func TestTimeoutsShareNoRequest(t *testing.T) {
	timeout := func(next http.Handler) http.Handler { return http.TimeoutHandler(next, time.Millisecond, "late") }
	for name, o := range map[string]setup{"outside": {outside: timeout}, "inside": {inside: timeout}} {
		t.Run(name, func(t *testing.T) {
			s := open(t, o)
			answered, done := make(chan bool), make(chan error, 1)
			a := s.browser().get(func(_ http.ResponseWriter, r *http.Request) {
				<-r.Context().Done()
				r.SetPathValue("a", "b")
				go func() { // longer than the handler
					<-answered
					_ = r.Clone(r.Context()).ParseForm()
					_, err := nethttp.From(r)
					done <- s.note(err)
				}()
			})
			require.Equal(t, 503, a.status)
			require.Equal(t, "late", a.body)
			close(answered)
			_ = await(t, done)
		})
	}
}

// TestASessionIsAskedForWhileTheRequestIsGivenBack, by a goroutine that the
// handler left behind.
func TestASessionIsAskedForWhileTheRequestIsGivenBack(t *testing.T) {
	s := open(t, setup{})
	for range 50 {
		started, done := make(chan bool), make(chan error, 1)
		s.mw.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			go func() {
				close(started)
				_, err := nethttp.From(r)
				done <- err
			}()
			<-started
		})).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
		require.NoError(t, await(t, done))
	}
}
