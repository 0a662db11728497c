package demo

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/klauspost/compress/gzhttp"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

//go:embed templates static
var files embed.FS

// Bounds of one request.
const (
	maxBody   = 128 << 10 // bytes of a form or JSON text
	minGzip   = 1 << 10   // bytes of an answer worth compressing
	gzipNoise = 32        // random bytes at most, so that lengths reveal nothing (BREACH)
)

// site is the application.
type site struct {
	handler http.Handler // all of it
	manager *hosts.Manager
	mw      *nethttp.Middleware
	now     func() time.Time
	warning string // about the key, for every page
	feed    *feed
	naive   naive
	started time.Time
	forgets bool   // a restart signs everybody out
	backend string // for people
	pages   map[string]*template.Template
	assets  map[string]asset
	cleanup time.Duration
}

// An asset is a static file; its path bears a hash, so it never changes.
type asset struct {
	path, mediaType string
	body            []byte
}

func newSite(m *hosts.Manager, f *feed, o Options, key keyInfo) (*site, error) {
	s := &site{
		manager: m, warning: key.warning, now: time.Now, backend: backendOf(o.Store), cleanup: o.Cleanup,
		feed: f, naive: naive{counts: map[naiveKey]int64{}}, started: time.Now(),
	}
	s.forgets = !key.kept || s.backend == inMemory
	if s.cleanup == 0 {
		s.cleanup = hosts.DefaultCleanupInterval
	}
	if o.Clock != nil {
		s.now = func() time.Time { return time.UnixMilli(int64(o.Clock.Now())) }
	}
	var err error
	if s.mw, err = newHost(m, o, s); err != nil {
		return nil, err
	}
	if err := s.loadFiles(); err != nil {
		return nil, err
	}
	gzip, err := gzhttp.NewWrapper(gzhttp.MinSize(minGzip), gzhttp.RandomJitter(gzipNoise, 0, false))
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	s.apiRoutes(mux)
	if err := s.pageRoutes(mux); err != nil {
		return nil, err
	}
	csrf := http.NewCrossOriginProtection()
	csrf.SetDenyHandler(http.HandlerFunc(s.crossOrigin))
	s.handler = gzip(guard(csrf.Handler(s.mw.Handler(mux))))
	return s, nil
}

func (s *site) loadFiles() error {
	s.assets = map[string]asset{}
	for name, mediaType := range map[string]string{
		"style.css": "text/css; charset=utf-8", "prove.js": "text/javascript; charset=utf-8", "icon.svg": "image/svg+xml",
	} {
		body, err := files.ReadFile("static/" + name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(body)
		s.assets[name] = asset{"/static/" + hex.EncodeToString(sum[:6]) + "/" + name, mediaType, body}
	}
	return s.loadPages()
}

const policy = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// scripted is the policy of pages with a script.
const scripted = policy + "; script-src 'self'; connect-src 'self'"

// guard puts on every answer what keeps browsers careful. HSTS is left out: it
// would bind every other program on this host name.
func guard(next http.Handler) http.Handler {
	fields := map[string]string{
		"Content-Security-Policy":      policy,
		"X-Content-Type-Options":       "nosniff",
		"Referrer-Policy":              "same-origin",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Permissions-Policy":           "camera=(), geolocation=(), microphone=()",
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range fields {
			w.Header().Set(name, value)
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		next.ServeHTTP(w, r)
	})
}

// tenant is the first label of the host name; an address has none.
func tenant(r *http.Request) string {
	host := strings.ToLower(r.Host)
	if _, err := netip.ParseAddrPort(host); err == nil {
		return ""
	}
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return ""
	}
	label, _, _ := strings.Cut(host, ":")
	label, _, _ = strings.Cut(label, ".")
	return label
}

func isAPI(r *http.Request) bool {
	return strings.HasPrefix(r.URL.Path, "/api/") || r.URL.Path == "/healthz"
}

// unauthorized answers for nethttp when nobody is signed in.
func (s *site) unauthorized(w http.ResponseWriter, r *http.Request, err error) {
	if isAPI(r) {
		apiError(w, http.StatusUnauthorized, nethttp.Explain(err), core.ReasonOf(err).String())
		return
	}
	s.signInPage(w, r, http.StatusUnauthorized, signInForm{Next: pageOf(r), Trouble: whySignIn(r, err), Draft: draftOf(r)})
}

// whySignIn says why the visitor is not signed in, or not any more.
func whySignIn(r *http.Request, err error) string {
	switch {
	case core.ReasonOf(err) == core.ReasonUnknown: // the cookie is genuine, and its session is gone
		return "You were signed out on another device. Please sign in again."
	case !errors.Is(err, core.ErrNoCookie) && !errors.Is(err, nethttp.ErrNotSignedIn):
		return nethttp.Explain(err) + ": please sign in."
	case r.Method == http.MethodPost: // from a page that showed a user
		return "You were signed out in another tab, and nothing was done. Please sign in again."
	}
	return "Please sign in to see this page."
}

// pageOf is the page that a refused form stands on.
func pageOf(r *http.Request) string {
	first, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if first == "signout" {
		first = "devices"
	}
	return "/" + first
}

// failed answers for a handler that has an error of its session.
func (s *site) failed(w http.ResponseWriter, r *http.Request, err error) {
	if status, _ := nethttp.Failure(err); status == http.StatusInternalServerError {
		slog.Error("demo: a fault of the program", "error", err)
	}
	s.errorPage(w, r, err)
}

// errorPage answers for nethttp when a session could not be loaded or stored.
func (s *site) errorPage(w http.ResponseWriter, r *http.Request, err error) {
	status, text := nethttp.Failure(err)
	var full noRoomError
	if errors.As(err, &full) { // of an update that ran again
		status, text = http.StatusConflict, noRoom+" The note was: "+full.text
	}
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	s.trouble(w, r, status, text, map[int]string{
		http.StatusConflict: "conflict", http.StatusRequestEntityTooLarge: "too_large", http.StatusBadRequest: "bad_value",
		http.StatusUnauthorized: core.ReasonOf(err).String(), http.StatusForbidden: core.ReasonOf(err).String(),
		http.StatusInternalServerError: "internal", http.StatusServiceUnavailable: "unavailable",
	}[status])
}

func (s *site) crossOrigin(w http.ResponseWriter, r *http.Request) {
	s.trouble(w, r, http.StatusForbidden, "This came from another site and was not done.", "cross_origin")
}

// trouble is an error as a page or as JSON, without asking for the session.
func (s *site) trouble(w http.ResponseWriter, r *http.Request, status int, text, reason string) {
	if isAPI(r) {
		apiError(w, status, text, reason)
		return
	}
	s.write(w, status, "trouble", page{Title: http.StatusText(status), Unasked: true, Content: text})
}

// detached is for work that goes on when the browser has left.
func detached(r *http.Request) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(r.Context()), hosts.DefaultCommitTimeout)
}
