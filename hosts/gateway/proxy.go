package gateway

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
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
		Transport:     transport,
		FlushInterval: -1, // streams are passed on as they come
		Rewrite:       g.rewrite,
		ErrorHandler:  g.originFailed,
	}
}

func (g *Gateway) rewrite(p *httputil.ProxyRequest) {
	p.SetURL(g.o.Origin)
	if g.o.KeepHost {
		p.Out.Host = p.In.Host
	}
	// The visitor's own claims are dropped before this; a trusted proxy's stand
	// before what is known here.
	if g.o.Host.Trusted(p.In) {
		p.Out.Header["X-Forwarded-For"] = p.In.Header["X-Forwarded-For"]
	}
	p.SetXForwarded()
	for _, name := range []string{HeaderUser, HeaderTenant, HeaderID} { // put back if Connection named them away
		if values, ok := p.In.Header[name]; ok {
			p.Out.Header[name] = values
		}
	}
	if g.o.StripCookie {
		dropCookie(p.Out.Header, g.cookie)
	}
}

// originFailed answers for an origin that does not: 504 when it took too long,
// else 502.
func (g *Gateway) originFailed(w http.ResponseWriter, r *http.Request, err error) {
	if clientGone(r, err) {
		g.counts.add(outcomeClientGone)
		w.WriteHeader(http.StatusBadGateway) // nobody reads it
		return
	}
	g.counts.add(outcomeOriginFailed)
	g.o.Logger.Warn("gateway: the origin did not answer", "origin", g.o.Origin.Host, "error", err)
	w.Header().Set("Cache-Control", "no-store")
	var slow net.Error
	if errors.As(err, &slow) && slow.Timeout() || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
		http.Error(w, "The application takes too long to answer.", http.StatusGatewayTimeout)
		return
	}
	http.Error(w, "The application does not answer.", http.StatusBadGateway)
}
