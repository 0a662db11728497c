package sessionstest

import (
	"cmp"
	"net/http"
	"net/http/httptest"
	"net/url"
)

// Serve runs h behind the middleware on a real server of this machine, until the
// test ends.
func (app *App) Serve(h http.Handler) *httptest.Server {
	server := httptest.NewServer(app.Middleware.Handler(h))
	app.t.Cleanup(server.Close)
	return server
}

// Client returns the visitor as a client of a server, which follows redirects. It
// sends Secure cookies over plain HTTP, too, as browsers do on this machine.
func (v *Visitor) Client(server *httptest.Server) *http.Client {
	client := *server.Client() // which trusts the server's certificate
	client.Transport = &transport{v, client.Transport}
	return &client
}

// transport adds to requests what the visitor sends, and keeps the cookies of the
// answers. A cookie jar of the client would be asked before the visitor signs in.
type transport struct {
	v    *Visitor
	next http.RoundTripper
}

// RoundTrip is for http.Client.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	t.v.fill(r.Header)
	q := r.Clone(r.Context()) // as the server will see it
	q.Host, q.RemoteAddr = cmp.Or(r.Host, r.URL.Host), loopback
	if err := t.v.prepare(q); err != nil {
		if r.Body != nil {
			_ = r.Body.Close() // a RoundTripper's duty
		}
		return nil, err
	}
	t.v.addCookies(r)
	resp, err := t.next.RoundTrip(r)
	if err == nil {
		t.v.keepCookies(r.URL.Path, resp)
	}
	return resp, err
}

// Cookies returns the cookies that the visitor sends to a path.
func (v *Visitor) Cookies(path string) []*http.Cookie { return v.jar.Cookies(v.url(path)) }

// url is where all cookies of the visitor belong, whatever server set them: so
// they do for one application. It is HTTPS, for Secure cookies.
func (v *Visitor) url(path string) *url.URL {
	return &url.URL{Scheme: "https", Host: v.host, Path: path}
}

func (v *Visitor) addCookies(r *http.Request) {
	for _, c := range v.Cookies(r.URL.Path) {
		r.AddCookie(c)
	}
}

func (v *Visitor) keepCookies(path string, resp *http.Response) {
	v.jar.SetCookies(v.url(path), resp.Cookies())
}
