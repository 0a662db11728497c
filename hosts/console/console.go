package console

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

// Defaults and bounds of Options.
const (
	DefaultFresh = 10 * time.Minute
	DefaultLimit = 50
	MaxLimit     = 1000
	maxForm      = 4 << 10 // bytes of a form
)

// Options set up the page. Only Middleware is required.
type Options struct {
	Middleware *nethttp.Middleware

	// Fresh is how recently users must have signed in or confirmed who they are to see the
	// page [10 min]: see nethttp.Middleware.RequireFresh and nethttp.Options.ConfirmPath.
	Fresh time.Duration
	// NoFresh shows it to everybody who is signed in, whenever that was.
	NoFresh bool
	// Limit is how many devices are on one page, up to 1000 [50].
	Limit int

	// Texts returns the words of the page for a request [English]. What is empty in them is
	// English.
	Texts func(*http.Request) Texts
	// Template is a page of the application's own. It is executed with a Page.
	Template *template.Template
	// Render writes the page instead of Template, with the status, into a layout of the
	// application's. It may be any answer that shows the Page.
	Render func(w http.ResponseWriter, r *http.Request, status int, p Page) error
}

// policy is for the page of this package. One that is set before, around the
// handler, stays.
const policy = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// console is the handler.
type console struct {
	Options
	manager *hosts.Manager
}

// New returns the handler of the page. It answers GET, HEAD and POST of the one path that
// it is mounted at, whichever that is, and needs no middleware around it. Of other sites
// it takes no POST: see http.CrossOriginProtection. The store must be a hosts.Finder: else
// the error is hosts.ErrNoFinder. Bad options are refused with a hosts.ConfigError.
func New(o Options) (http.Handler, error) {
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	c := &console{Options: o, manager: o.Middleware.Manager()}
	page := o.Middleware.HandlerFunc(c.serve)
	if o.NoFresh {
		page = o.Middleware.Require(page)
	} else {
		page = o.Middleware.RequireFresh(o.Fresh, page)
	}
	page = http.NewCrossOriginProtection().Handler(page)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Method {
		case http.MethodGet, http.MethodHead:
			if r.URL.Query().Has("css") { // needs nobody
				writeStyle(w)
				return
			}
		case http.MethodPost:
			r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		default:
			w.Header().Set("Allow", "GET, HEAD, POST")
			http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
			return
		}
		page.ServeHTTP(w, r)
	}), nil
}

func (o *Options) check() error {
	if o.Middleware == nil {
		return errors.New("Options.Middleware is nil: make one with nethttp.New or sessions.New")
	}
	if store := o.Middleware.Manager().Store(); !finds(store) {
		return fmt.Errorf("%T: %w", store, hosts.ErrNoFinder)
	}
	refuse := func(field, value, allowed string) error {
		return &hosts.ConfigError{Field: field, Value: value, Allowed: allowed}
	}
	switch {
	case o.Fresh < 0:
		return refuse("Fresh", o.Fresh.String(), "a positive duration, or 0 for 10 minutes; NoFresh asks for none")
	case o.Fresh != 0 && o.NoFresh:
		return refuse("NoFresh", "true with Fresh", "one of them")
	case o.Limit < 0 || o.Limit > MaxLimit:
		return refuse("Limit", strconv.Itoa(o.Limit), "1 to 1000, or 0 for 50")
	case o.Template != nil && o.Render != nil:
		return refuse("Template", "set with Render", "one of them")
	}
	if o.Fresh == 0 {
		o.Fresh = DefaultFresh
	}
	if o.Limit == 0 {
		o.Limit = DefaultLimit
	}
	return nil
}

func finds(s hosts.Store) bool {
	_, ok := hosts.As[hosts.Finder](s)
	return ok
}

// show writes the page.
func (c *console) show(w http.ResponseWriter, r *http.Request, status int, p Page) error {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	if c.Render != nil {
		return c.Render(w, r, status, p)
	}
	page, csp := ownPage, policy
	if c.Template != nil {
		page, csp = c.Template, "frame-ancestors 'none'" // what else it loads only the application knows
	}
	var body bytes.Buffer
	if err := page.Execute(&body, p); err != nil {
		return fmt.Errorf("console: %w", err)
	}
	if h["Content-Security-Policy"] == nil {
		h.Set("Content-Security-Policy", csp)
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = io.Copy(w, &body) // the browser has gone, or an error page was sent
	return nil
}
