package gateway

import (
	"errors"
	"net/http"
	"strings"
)

// After a switch of protocols a connection is passed on unread: whatever is
// sent on it passes the rules, with any identity. With "h2c" these would be
// whole requests. So only WebSockets, which carry messages, may switch.

var errSwitched = errors.New("it switched protocols, though no WebSocket was asked for")

// isWebSocket reports whether a request asks for a WebSocket and nothing else.
func isWebSocket(r *http.Request) bool {
	to := r.Header["Upgrade"]
	return r.Method == http.MethodGet && r.ProtoMajor == 1 && len(to) == 1 && strings.EqualFold(to[0], "websocket")
}

// dropUpgrade leaves of a request that asks for another protocol the request
// itself: HTTP lets a server answer it as if it had not asked. The word in the
// Connection field goes on the way to the origin, as that field does.
func dropUpgrade(r *http.Request) {
	delete(r.Header, "Http2-Settings")
	if !isWebSocket(r) {
		delete(r.Header, "Upgrade")
	}
}
