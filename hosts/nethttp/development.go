package nethttp

import (
	"errors"
	"net"
	"net/http"
	"strings"
)

// ErrDevelopment means that a request came to a server in development mode by
// another way than loopback.
var ErrDevelopment = errors.New("this server runs in development mode, with cookies that are not Secure, and answers on loopback addresses alone: " +
	"switch development mode off, or listen on 127.0.0.1 and use no proxy")

// local reports whether a request came to a loopback address, under a name of this
// machine, and by no proxy. What a client can write never makes it so alone: the
// connection counts. A proxy that adds no field still hands on the name of its
// site, and so does a page elsewhere whose name was made to lead here.
func local(r *http.Request) bool {
	if !localName(r.Host) {
		return false
	}
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-Ip", "Via"} {
		if len(r.Header[name]) > 0 {
			return false
		}
	}
	at, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	return ok && at.IP.IsLoopback()
}

// localName reports whether a Host field names this machine.
func localName(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.ToLower(strings.Trim(host, "[]")), ".")
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback()
}
