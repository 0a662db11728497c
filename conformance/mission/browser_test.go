package mission

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strconv"
	"strings"

	"github.com/rockstar-web/sessions/core"
	"github.com/stretchr/testify/require"
)

// home is the host that browsers visit unless told otherwise; the name is in
// the certificate of every test server.
const home = "www.example.com"

// browser is a visitor with a cookie jar of its own.
type browser struct {
	site    *site
	jar     *cookiejar.Jar
	host    string
	headers map[string]string
}

// browser returns a new visitor of the site.
func (s *site) browser() *browser {
	jar, err := cookiejar.New(nil)
	require.NoError(s.t, err)
	return &browser{site: s, jar: jar, host: home, headers: map[string]string{"User-Agent": "Mission/1.0"}}
}

// mostConns is more than the browsers that any row sends at once.
const mostConns = 64

// transport returns the way to the server, under whatever name. Connections
// are the site's: a new handshake for each browser would only take time.
func (s *site) transport() *http.Transport {
	n := &http.Transport{MaxIdleConnsPerHost: mostConns, DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, s.server.Listener.Addr().String())
	}}
	if s.server.TLS != nil {
		roots := x509.NewCertPool()
		roots.AddCert(s.server.Certificate())
		// The other curves have no assembly, and the race detector sees all that they do.
		n.TLSClientConfig = &tls.Config{RootCAs: roots, CurvePreferences: []tls.CurveID{tls.CurveP256}}
	}
	return n
}

// to takes the browser to another server under the same name.
func (b *browser) to(s *site) *browser {
	b.site = s
	return b
}

// reconnect has the next request come on a new connection, from a new port.
func (b *browser) reconnect() { b.site.network.CloseIdleConnections() }

// from sets the address that the server sees.
func (b *browser) from(address string) *browser {
	b.headers[addressHeader] = address
	return b
}

func (b *browser) url(path string) string {
	if b.site.setup.plain {
		return "http://" + b.host + path
	}
	return "https://" + b.host + path
}

func (b *browser) get(path string) answer  { return b.send(http.MethodGet, path, nil) }
func (b *browser) post(path string) answer { return b.send(http.MethodPost, path, nil) }

// try sends a request. It may be called from any goroutine.
func (b *browser) try(method, path string, headers map[string]string) (answer, error) {
	r, err := http.NewRequestWithContext(b.site.t.Context(), method, b.url(path), nil)
	if err != nil {
		return answer{}, err
	}
	for _, all := range []map[string]string{b.headers, headers} {
		for name, value := range all {
			r.Header.Set(name, value)
		}
	}
	client := http.Client{Transport: b.site.network, Jar: b.jar}
	resp, err := client.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return answer{b.site, resp, string(body)}, err
}

func (b *browser) send(method, path string, headers map[string]string) answer {
	b.site.t.Helper()
	a, err := b.try(method, path, headers)
	require.NoError(b.site.t, err)
	return a
}

// during runs a handler of the guide's manner inside a request of its own.
func (b *browser) during(h verbs) answer { return b.call("/call", b.site.by(h)) }

// visiting runs a handler under the middleware inside a request of its own.
func (b *browser) visiting(h visit) answer { return b.call("/call", b.site.within(h)) }

// call runs a handler inside a request to any path.
func (b *browser) call(path string, h http.HandlerFunc) answer {
	b.site.t.Helper()
	a, err := b.tryCall(path, h)
	require.NoError(b.site.t, err)
	return a
}

// tryCall is call from any goroutine.
func (b *browser) tryCall(path string, h http.HandlerFunc) (answer, error) {
	number := strconv.FormatInt(b.site.number.Add(1), 10)
	b.site.calls.Store(number, h)
	return b.try(http.MethodPost, path, map[string]string{callHeader: number})
}

// cookie returns the session cookie that the browser would send, or nothing.
func (b *browser) cookie() string {
	u, err := url.Parse(b.url("/"))
	require.NoError(b.site.t, err)
	for _, c := range b.jar.Cookies(u) {
		if c.Name == core.DefaultCookieName {
			return c.Value
		}
	}
	return ""
}

// give puts a session cookie into the browser, in place of its own.
func (b *browser) give(value string) *browser {
	u, err := url.Parse(b.url("/"))
	require.NoError(b.site.t, err)
	b.jar.SetCookies(u, []*http.Cookie{{Name: core.DefaultCookieName, Value: value, Path: "/"}})
	return b
}

// thief returns another browser of the same kind that has stolen b's cookie.
func (b *browser) thief() *browser {
	t := b.site.browser()
	t.host, t.headers = b.host, maps.Clone(b.headers)
	return t.give(b.cookie())
}

// answer is what the server said.
type answer struct {
	site *site
	*http.Response
	body string
}

// is requires a status.
func (a answer) is(status int) answer {
	a.site.t.Helper()
	require.Equal(a.site.t, status, a.StatusCode, a.body)
	return a
}

// refused requires 401 with a reason.
func (a answer) refused(why core.Reason) answer {
	a.site.t.Helper()
	a.is(http.StatusUnauthorized)
	require.Equal(a.site.t, why.String(), a.field("reason"), a.body)
	return a
}

// field returns a member of the JSON object in the body.
func (a answer) field(name string) any {
	a.site.t.Helper()
	members := map[string]any{}
	require.NoError(a.site.t, json.Unmarshal([]byte(a.body), &members), a.body)
	return members[name]
}

// id returns the session ID that the body tells.
func (a answer) id() core.ID {
	a.site.t.Helper()
	text, _ := a.field("session_id").(string)
	id, err := core.ParseID(text)
	require.NoError(a.site.t, err, a.body)
	return id
}

// cookies returns the session cookies that the answer sets.
func (a answer) cookies() (ours []*http.Cookie) {
	for _, c := range a.Response.Cookies() {
		if strings.HasSuffix(c.Name, core.DefaultCookieName) {
			ours = append(ours, c)
		}
	}
	return ours
}

// cookie requires the answer to set one session cookie, behind one that expires
// its other kind if browsers may have both.
func (a answer) cookie() *http.Cookie {
	a.site.t.Helper()
	all := a.cookies()
	if len(all) == 2 && all[0].Partitioned != all[1].Partitioned {
		require.Negative(a.site.t, all[0].MaxAge)
		all = all[1:]
	}
	require.Len(a.site.t, all, 1, a.body)
	return all[0]
}
