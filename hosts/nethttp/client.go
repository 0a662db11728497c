package nethttp

import (
	"net/http"
	"net/netip"
	"strings"
)

// maxHops is how many entries of a forwarding header are looked at.
const maxHops = 32

// client returns who sent the request and whether by HTTPS. Only trusted
// proxies are believed: from the right, the first address that is not one of
// theirs is the client's, since every proxy appends whom it heard from.
func (h *Host) client(r *http.Request) (ip netip.Addr, https bool) {
	ip, https = address(r.RemoteAddr), r.TLS != nil
	if len(h.o.TrustedProxies) == 0 || !h.trusted(ip) {
		return ip, https
	}
	for i, hop := range h.hops(r) {
		if i == 0 && hop.proto != "" {
			https = strings.EqualFold(hop.proto, "https")
		}
		a := address(hop.from)
		if !a.IsValid() {
			break // "unknown" or hidden: the last one known stands
		}
		ip = a
		if !h.trusted(a) {
			break
		}
	}
	return ip, https
}

func (h *Host) trusted(a netip.Addr) bool {
	for _, p := range h.o.TrustedProxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

type hop struct{ from, proto string }

// hops returns the header's entries, the latest first.
func (h *Host) hops(r *http.Request) []hop {
	var entries []string
	for _, line := range r.Header[h.o.ForwardedHeader] {
		entries = append(entries, strings.Split(line, ",")...)
	}
	var list []hop
	for i := len(entries) - 1; i >= 0 && len(list) < maxHops; i-- {
		e := strings.TrimSpace(entries[i])
		if h.o.ForwardedHeader == "Forwarded" {
			list = append(list, forwarded(e))
		} else {
			list = append(list, hop{from: e})
		}
	}
	if len(list) > 0 && h.o.ForwardedHeader != "Forwarded" {
		protos := strings.Split(strings.Join(r.Header["X-Forwarded-Proto"], ","), ",")
		list[0].proto = strings.TrimSpace(protos[len(protos)-1])
	}
	return list
}

// forwarded reads one element of RFC 7239.
func forwarded(element string) (e hop) {
	for pair := range strings.SplitSeq(element, ";") {
		name, value, _ := strings.Cut(pair, "=")
		value = strings.Trim(strings.TrimSpace(value), `"`)
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "for":
			e.from = value
		case "proto":
			e.proto = value
		}
	}
	return e
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
