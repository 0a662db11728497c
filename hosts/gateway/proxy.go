package gateway

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httputil"
	"os"

	"github.com/rockstar-web/sessions/hosts/nethttp"
)

// newProxy makes the way to the origin. Identity fields are in the header
// already; a Connection field cannot name them away, since hop-by-hop fields go
// before they are copied behind.
func (g *Gateway) newProxy() *httputil.ReverseProxy {
	transport := g.o.Transport
	if transport == nil {
		transport = &http.Transport{
			DialContext:           (&net.Dialer{Timeout: dialTimeout}).DialContext,
			ForceAttemptHTTP2:     true,
			MaxIdleConns:          idleConns,
			MaxIdleConnsPerHost:   idleConns,
			IdleConnTimeout:       idleTimeout,
			TLSHandshakeTimeout:   dialTimeout,
			ResponseHeaderTimeout: g.o.Timeout,
			DisableCompression:    true, // what the origin sent goes on as it is
		}
	}
	return &httputil.ReverseProxy{
		Transport:      transport,
		FlushInterval:  -1, // streams are passed on as they come
		Rewrite:        g.rewrite,
		ModifyResponse: g.answered,
		ErrorHandler:   g.originFailed,
	}
}

func (g *Gateway) rewrite(p *httputil.ProxyRequest) {
	p.SetURL(g.o.Origin)
	if g.o.KeepHost {
		p.Out.Host = p.In.Host
	}
	// The visitor's own claims are dropped before this. Of a trusted proxy's,
	// the addresses stand before what is known here, and the others in its place.
	trusted := g.o.Middleware.Trusted(p.In)
	if trusted {
		p.Out.Header["X-Forwarded-For"] = p.In.Header["X-Forwarded-For"]
	}
	p.SetXForwarded()
	for _, name := range []string{"X-Forwarded-Host", "X-Forwarded-Proto"} {
		if values := p.In.Header[name]; trusted && len(values) > 0 {
			p.Out.Header[name] = values
		}
	}
	for _, name := range identity { // put back if Connection named them away
		if values, ok := p.In.Header[name]; ok {
			p.Out.Header[name] = values
		}
	}
	if g.o.StripCookie {
		dropCookie(p.Out.Header, g.cookie)
	}
}

// answered looks at the header of the origin's answer before it goes on.
func (g *Gateway) answered(a *http.Response) error {
	if a.StatusCode == http.StatusSwitchingProtocols && (a.Request == nil || !isWebSocket(a.Request)) {
		return errSwitched
	}
	if a.Request != nil {
		g.notes.keep(a.Request.Context(), g.o.Middleware.Manager())
		bodyOf(a.Request).answer(a.Header)
		g.opens(a)
	}
	if setsCookie(a.Header, g.cookie) { // whatever the origin says of caches
		nethttp.NoStore(a.Header)
	}
	return nil
}

// originFailed answers for an origin that does not: 504 when it took too long,
// else 502; and 408 when the visitor took too long to send the body.
func (g *Gateway) originFailed(w http.ResponseWriter, r *http.Request, err error) {
	b := bodyOf(r)
	b.answer(w.Header())
	if b.tooSlow() {
		g.counts.add(outcomeSlowBody)
		nethttp.NoStore(w.Header())
		http.Error(w, "The body of the request takes too long to come.", http.StatusRequestTimeout)
		return
	}
	if clientGone(r, err) {
		g.counts.add(outcomeClientGone)
		w.WriteHeader(http.StatusBadGateway) // nobody reads it
		return
	}
	g.counts.add(outcomeOriginFailed)
	g.o.Logger.Warn("gateway: the origin did not answer", "origin", g.o.Origin.Host, "error", err)
	nethttp.NoStore(w.Header())
	var slow net.Error
	if errors.As(err, &slow) && slow.Timeout() || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
		http.Error(w, "The application takes too long to answer.", http.StatusGatewayTimeout)
		return
	}
	http.Error(w, "The application does not answer.", http.StatusBadGateway)
}
