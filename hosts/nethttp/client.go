package nethttp

import (
	"iter"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// maxHops is how many entries of a forwarding header are looked at.
const maxHops = 32

// client returns who sent the request and whether by HTTPS. Only trusted
// proxies are believed: from the right, the first address that is not one of
// theirs is the client's, since every proxy appends whom it heard from. The
// address is not valid when it is not known.
func (h *Middleware) client(r *http.Request) (ip netip.Addr, https bool) {
	ip, https = address(r.RemoteAddr), r.TLS != nil
	if !h.Trusted(r) {
		return ip, https
	}
	if h.o.ForwardedHeader != "Forwarded" {
		for proto := range fromRight(r.Header["X-Forwarded-Proto"]) {
			https = strings.EqualFold(proto, "https")
			break
		}
	}
	hops := 0
	for entry := range fromRight(r.Header[h.o.ForwardedHeader]) {
		from, proto := entry, ""
		if h.o.ForwardedHeader == "Forwarded" {
			from, proto = forwarded(entry)
		}
		if proto != "" {
			https = strings.EqualFold(proto, "https")
		}
		a := address(from)
		if !a.IsValid() {
			break // "unknown" or hidden: the last one known stands
		}
		ip = a
		if hops++; hops == maxHops || !h.trusted(a) {
			break
		}
	}
	return ip, https
}

// saysHTTPS reads what a proxy next to us has appended, of either kind.
func saysHTTPS(r *http.Request) bool {
	for proto := range fromRight(r.Header["X-Forwarded-Proto"]) {
		return strings.EqualFold(proto, "https")
	}
	for entry := range fromRight(r.Header["Forwarded"]) {
		_, proto := forwarded(entry)
		return strings.EqualFold(proto, "https")
	}
	return false
}

// Trusted reports whether a request came from a trusted proxy, whose forwarding
// header says who sent it.
func (h *Middleware) Trusted(r *http.Request) bool {
	return h.trusted(address(r.RemoteAddr)) || h.o.TrustUnixSocket && byUnixSocket(r)
}

// TrustsProxies reports whether there is anybody whom Trusted may believe.
func (h *Middleware) TrustsProxies() bool { return len(h.o.TrustedProxies) > 0 || h.o.TrustUnixSocket }

// ForwardedHeader is the one that trusted proxies set: see Options.
func (h *Middleware) ForwardedHeader() string { return h.o.ForwardedHeader }

func (h *Middleware) trusted(a netip.Addr) bool {
	for _, p := range h.o.TrustedProxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// byUnixSocket goes by our end of the connection: the peer's has no name.
func byUnixSocket(r *http.Request) bool {
	_, ok := r.Context().Value(http.LocalAddrContextKey).(*net.UnixAddr)
	return ok
}

// fromRight returns the entries of a header field, the latest first. Commas
// are not looked for in quotes: what stands further left, where a client may
// have opened one, must not change what a proxy appended.
func fromRight(lines []string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, line := range slices.Backward(lines) {
			for comma := len(line); comma >= 0; {
				line = line[:comma]
				comma = strings.LastIndexByte(line, ',')
				if !yield(strings.TrimSpace(line[comma+1:])) {
					return
				}
			}
		}
	}
}

// forwarded reads one element of RFC 7239.
func forwarded(element string) (from, proto string) {
	for pair := range strings.SplitSeq(element, ";") {
		name, value, _ := strings.Cut(pair, "=")
		value = strings.Trim(strings.TrimSpace(value), `"`)
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "for":
			from = value
		case "proto":
			proto = value
		}
	}
	return from, proto
}

// address reads an address with or without port, IPv6 with or without
// brackets, and forgets zones and IPv4 in IPv6.
func address(s string) netip.Addr {
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().Unmap().WithZone("")
	}
	a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"))
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}
