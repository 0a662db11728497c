package nethttp

import (
	"errors"
	"net"
	"net/http"
)

// ErrDevelopment means that a request came to a server in development mode by
// another way than loopback.
var ErrDevelopment = errors.New("this server runs in development mode, with cookies that are not Secure, and answers on loopback addresses alone: " +
	"switch development mode off, or listen on 127.0.0.1 and use no proxy")

// local reports whether a request came to a loopback address, and by no proxy: it
// goes by the connection, and not by what a client can write.
func local(r *http.Request) bool {
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-Ip", "Via"} {
		if len(r.Header[name]) > 0 {
			return false
		}
	}
	at, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	return ok && at.IP.IsLoopback()
}
