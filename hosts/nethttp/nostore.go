package nethttp

import (
	"net/http"
	"slices"
	"strings"
)

// cdnFields are the fields that some CDNs and proxies obey before
// Cache-Control, beside CDN-Cache-Control and all that end in -Cache-Control
// (RFC 9213, section 2.1): those of Fastly, Akamai and nginx.
var cdnFields = []string{"Surrogate-Control", "Edge-Control", "X-Accel-Expires"}

// NoStore keeps every cache from storing an answer. It sets Cache-Control to
// no-store, and removes the fields that a CDN obeys in its place, such as
// CDN-Cache-Control and Surrogate-Control. It is for answers that are one
// visitor's; an answer that sets the session cookie has it already.
func NoStore(h http.Header) {
	for name := range h {
		if strings.HasSuffix(strings.ToLower(name), "-cache-control") || slices.ContainsFunc(cdnFields, func(f string) bool { return strings.EqualFold(f, name) }) {
			delete(h, name)
		}
	}
	h.Set("Cache-Control", "no-store")
}
