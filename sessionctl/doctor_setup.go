package sessionctl

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// examineKey returns the key, or a random one where there is none to be had.
func (d *doctor) examineKey() core.KeyRing {
	keys, err := readKeys(d.keyFile)
	switch {
	case errors.Is(err, errNoKeyGiven):
		d.finding("key", "make one with sessionctl keygen and give it to every server, in "+hosts.DefaultKeyVariable+" or with --key-file", "there is none")
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
		d.finding("key", "name the file that the server reads, as the user it runs as", "%v", err)
	case errors.Is(err, core.ErrWeakKey):
		d.finding("key", "make one with sessionctl keygen; everybody has to sign in again", "%v", err)
	case errors.As(err, new(*hosts.ConfigError)):
		d.finding("key", "unset the one that the servers do not have", "%v", err)
	case errors.Is(err, errKeyAsFile):
		d.finding("key", "leave --key-file out, or name the file that the server reads", "%v", err)
	case err != nil:
		d.finding("key", "check whether it was typed or copied whole, and compare it with the one that the servers have. Only if it is lost make one with sessionctl keygen: everybody has to sign in again", "%v", err)
	default:
		for _, k := range keys {
			d.fine("key", "32 bytes, key ID %s%s: compare it between servers", core.KeyID(k.Bytes), served(k))
		}
	}
	if err == nil && d.keyFile != "" {
		d.examineMode("key", d.keyFile, 0o600)
	}
	if err != nil {
		random := make([]byte, core.KeyLen)
		rand.Read(random) // never fails
		keys = core.KeyRing{{Bytes: core.NewSecret(random)}}
	}
	return keys
}

// examineMode finds files and directories that others may open, or that their
// owner may not.
func (d *doctor) examineMode(about, path string, right fs.FileMode) {
	info, err := os.Stat(path)
	if err != nil {
		d.finding(about, "run this as the user that the server runs as", "%v", err)
		return
	}
	remedy := fmt.Sprintf("chmod %04o %s", right, path)
	switch mode := info.Mode().Perm(); {
	case mode&0o077 != 0:
		d.finding(about, remedy, "%s has mode %v: others may open it", path, mode)
	case mode&0o400 == 0:
		d.finding(about, remedy, "%s has mode %v: its owner may not read it", path, mode)
	default:
		d.fine(about, "%s has mode %v", path, mode)
	}
}

func (d *doctor) examineCookie(site *url.URL) {
	random := make([]byte, core.KeyLen)
	rand.Read(random) // never fails
	if _, err := core.NewMachine(d.policy, core.KeyRing{{Bytes: core.NewSecret(random)}}); err != nil {
		d.finding("cookie", "take one of the allowed values", "%v", err)
		return
	}
	before := d.findings
	d.examineDevelopment(site)
	if d.policy.AllowScripts {
		d.finding("cookie", "leave AllowScripts out", "every script on the page can read it, an injected one, too")
	}
	if d.url == "" {
		d.note("cookie", "give --url to check its attributes against the address of the site")
		return
	}
	d.examineSecure(site.Scheme == "https", local(site.Hostname()))
	domain := strings.ToLower(strings.TrimPrefix(d.policy.CookieDomain, "."))
	host := strings.ToLower(site.Hostname())
	if domain != "" && host != domain && !strings.HasSuffix(host, "."+domain) {
		d.finding("cookie", "leave CookieDomain out, or set it to "+host+" or a domain above it",
			"browsers refuse the domain %s from %s", domain, host)
	}
	plain := !strings.HasPrefix(strings.ToLower(d.policy.CookieName), "__host-")
	if plain && site.Scheme == "https" && domain == "" && d.policy.CookiePath == "/" && !d.policy.AllowInsecure {
		d.note("cookie", "the name __Host-Http-%s would keep other hosts of the domain, and scripts, from setting it", d.policy.CookieName)
	}
	if d.findings == before {
		d.fine("cookie", "%s fits %s", d.policy.CookieName, d.url)
	}
}

func (d *doctor) examineSecure(https, local bool) {
	switch {
	case https && d.policy.AllowInsecure:
		d.finding("cookie", "leave AllowInsecure out", "it is without Secure, so browsers send it over plain HTTP, too")
	case !https && !local && d.policy.AllowInsecure:
		d.finding("cookie", "serve HTTPS and leave AllowInsecure out", "others in the network can read it, and use the session")
	case !https && !local:
		d.finding("cookie", "serve HTTPS; if a proxy does, give --url https://... and --proxy",
			"browsers drop a Secure cookie that comes over plain HTTP: nobody stays signed in")
	case !https && !d.policy.AllowInsecure:
		d.note("cookie", "some browsers keep a Secure cookie from localhost, others need AllowInsecure in development")
	}
}

// local finds hosts that plain HTTP never leaves.
func local(host string) bool {
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback() || host == "localhost" || strings.HasSuffix(host, ".localhost")
}

func (d *doctor) examineProxies() {
	for _, p := range d.trusted {
		if p.Bits() == 0 {
			d.finding("proxy", "name only the addresses of your proxies", "%v trusts everybody: every visitor can choose an IP address", p)
			return
		}
	}
	switch {
	case d.proxy && len(d.trusted) == 0:
		d.finding("proxy", "name its address in TrustedProxies (--trusted-proxy)",
			"it is not trusted, so all visitors have its IP address and seem to come by plain HTTP")
	case len(d.trusted) > 0:
		d.fine("proxy", "%d trusted", len(d.trusted))
	}
}

// served says when a key of a ring serves, where that has an end.
func served(k core.Key) string {
	text := ""
	if k.SealFrom != 0 {
		text += ", encrypts from " + k.SealFrom.String()
	}
	if k.OpenUntil != 0 {
		text += ", opens cookies until " + k.OpenUntil.String()
	}
	return text
}

// examineDevelopment looks for the variable that makes cookies insecure.
func (d *doctor) examineDevelopment(site *url.URL) {
	text := os.Getenv(hosts.DevelopmentVariable)
	if text == "" {
		return
	}
	switch on, err := strconv.ParseBool(text); {
	case err != nil:
		d.finding("cookie", "unset it, or set it to true or false", "%s is %q, which sessions.New refuses", hosts.DevelopmentVariable, text)
	case on && d.url != "" && !local(site.Hostname()):
		d.finding("cookie", "unset it", "%s is set: cookies are not Secure, and the program serves only loopback addresses", hosts.DevelopmentVariable)
	case on:
		d.note("cookie", "%s is set: cookies are not Secure, and the program serves only loopback addresses", hosts.DevelopmentVariable)
	}
}
