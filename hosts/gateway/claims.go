package gateway

import (
	"net/http"
	"slices"
)

var (
	identity  = []string{HeaderUser, HeaderTenant, HeaderID}
	forwarded = []string{"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"}
)

// The fields by which servers and frameworks read another path, host or user
// than those of the request itself, which are what the rules and the session
// were checked for. They are dropped from every sender: a proxy that does not set one
// forwards what a visitor claims in it.
//
// X-HTTP-Method-Override, X-HTTP-Method and X-Method-Override stay. Rules do not
// judge the method, so that these open nothing which the method itself would
// not; no other site can send them without being asked for leave (CORS); they
// are part of the API of some applications; and many of these read the method
// from a form as well.
var (
	overridePrefixes = []string{
		"X-Original-",                                                                                           // URL: IIS URL Rewrite, Symfony, Zend; URI and Method: nginx auth_request; Host: Azure
		"X-Rewrite-",                                                                                            // URL: IIS rewriters, Zend
		"X-Forwarded-",                                                                                          // but the three above. Prefix: Spring, Werkzeug; Uri, Method: Traefik, Caddy; Port: Rack; User: oauth2-proxy; Client-Cert: Envoy
		"X-Envoy-",                                                                                              // Original-Path, Original-Host
		"Remote-", "X-Remote-", "X-Auth-Request-", "X-Authenticated-", "X-Authentik-", "X-Webauth-", "X-Token-", // users: CGI, Authelia, Kubernetes, oauth2-proxy, Kong, Authentik, Grafana, caddy-security
	}
	overrides = []string{
		"X-Waws-Unencoded-Url",                                     // iisnode on Azure
		"Script-Name", "X-Script-Name", "Path-Info", "X-Path-Info", // WSGI, gunicorn
		"Request-Uri", "X-Request-Uri", "X-Proxy-Url",
		"X-Host", "X-Http-Host-Override",
		"Proxy", // CGI takes it for HTTP_PROXY (httpoxy, CVE-2016-5385)
	}
)

// addresses are the fields, beside X-Forwarded-For, by which applications read
// the visitor's address. They are a trusted proxy's to set.
var addresses = []string{
	"X-Real-Ip", "Client-Ip", "X-Client-Ip", "True-Client-Ip", "X-Cluster-Client-Ip", "X-Originating-Ip",
	"Cf-Connecting-Ip", "Cf-Connecting-Ipv6", "Fastly-Client-Ip", "X-Azure-Clientip",
}

// DropClaims removes the fields that say who is signed in, and those that contradict
// the request itself, however they are spelt: servers
// that hand fields on as CGI variables take "Session.User" and "Session_User"
// for it. X-Forwarded-For, -Host and -Proto are left to the proxy; the addresses of
// other fields are kept where the peer is trusted to set them.
func DropClaims(h http.Header, trusted bool) {
	for name := range h {
		spelt := func(as string) bool { return folds(name, as) }
		begins := func(as string) bool { return len(name) > len(as) && folds(name[:len(as)], as) }
		switch {
		case slices.Contains(forwarded, name):
		case slices.ContainsFunc(identity, spelt), slices.ContainsFunc(overrides, spelt), slices.ContainsFunc(overridePrefixes, begins),
			!trusted && slices.ContainsFunc(addresses, spelt):
			delete(h, name)
		}
	}
}

// folds reports whether a field's name is another's to a server that ignores
// case and takes whatever is no letter and no digit for one character.
func folds(name, as string) bool {
	if len(name) != len(as) {
		return false
	}
	for i := range len(name) {
		if folded(name[i]) != folded(as[i]) {
			return false
		}
	}
	return true
}

func folded(c byte) byte {
	switch {
	case 'A' <= c && c <= 'Z':
		return c + 'a' - 'A'
	case 'a' <= c && c <= 'z' || '0' <= c && c <= '9':
		return c
	}
	return '-'
}
