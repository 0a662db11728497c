package sessionctl

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"strings"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/stores"
)

var doctorCommand = Command{
	Name: "doctor", Brief: "find problems of your setup",
	About: `Checks the key, the cookie's attributes for the URL of the site, the store (it saves,
loads and deletes test sessions), the clocks and the modes of files. For each problem
it prints what to do. The exit code is 1 if there are any.`,
	Examples: []string{`sessionctl doctor`, `sessionctl doctor --store sqlite:sessions.db --url https://shop.example`},
	Flags:    doctorFlags,
}

// A doctor is one examination.
type doctor struct {
	keyFile, store, url, sameSite string
	policy                        core.Policy
	proxy                         bool
	trusted                       []netip.Prefix

	*Program
	json     bool
	findings int
	err      error // of writing
}

func doctorFlags(set *flag.FlagSet) func(context.Context, *Program, []string) error {
	d := &doctor{}
	set.StringVar(&d.keyFile, "key-file", "", "read the key, or the keys of a rotation, from `FILE` instead of the environment")
	set.StringVar(&d.store, "store", "", "the `STORE` to check; if neither this nor "+storeVariable+" is set: "+stores.Default)
	set.BoolVar(&d.json, "json", false, "print JSON, one object per line")
	set.Bool("quiet", false, quietUsage)
	set.StringVar(&d.url, "url", "", "`URL` at which browsers reach the site, such as https://example.com")
	set.BoolVar(&d.proxy, "proxy", false, "there is a proxy in front of the server")
	set.Func("trusted-proxy", "`CIDR` of a proxy that the server trusts; may be repeated", func(text string) error {
		return AddPrefix(&d.trusted, text)
	})
	set.StringVar(&d.policy.CookieName, "name", core.DefaultCookieName, "`NAME` of the cookie")
	set.StringVar(&d.policy.CookiePath, "path", "/", "`PATH` of the cookie")
	set.StringVar(&d.policy.CookieDomain, "domain", "", "`DOMAIN` of the cookie")
	set.StringVar(&d.sameSite, "samesite", "Lax", "SameSite of the cookie: `WORD` is Lax, Strict or None")
	set.BoolVar(&d.policy.AllowInsecure, "insecure", false, "the cookie has no Secure, as with AllowInsecure")
	set.BoolVar(&d.policy.AllowScripts, "scripts", false, "the cookie has no HttpOnly, as with AllowScripts")
	return d.run
}

func (d *doctor) run(ctx context.Context, p *Program, _ []string) error {
	d.Program = p
	d.store = cmp.Or(d.store, os.Getenv(storeVariable), stores.Default)
	var ok bool
	d.policy.SameSite, ok = map[string]core.SameSite{
		"lax": core.SameSiteLax, "strict": core.SameSiteStrict, "none": core.SameSiteNone,
	}[strings.ToLower(d.sameSite)]
	if !ok {
		return Usagef("doctor: --samesite is %q; allowed: Lax, Strict, None", stores.Typed(d.sameSite))
	}
	site, err := url.Parse(d.url)
	if err != nil || d.url != "" && (site.Scheme != "http" && site.Scheme != "https" || site.Host == "") {
		return Usagef("doctor: --url is %q; allowed: http:// or https:// and a host name", stores.Typed(d.url))
	}
	keys := d.examineKey()
	d.examineCookie(site)
	d.examineProxies()
	if err := d.examineStore(ctx, keys); err != nil {
		return err
	}
	switch {
	case d.err != nil:
		return d.err
	case d.json:
		err = d.object(map[string]int{"findings": d.findings})
	case d.findings == 0:
		_, err = fmt.Fprintln(d.Out, "no findings")
	default:
		_, err = fmt.Fprintf(d.Out, "findings: %d\n", d.findings)
	}
	if err == nil && d.findings > 0 {
		return errFindings
	}
	return err
}

// fine reports what is as it should be.
func (d *doctor) fine(about, format string, args ...any) {
	d.tell(told{Level: "ok", About: about, Text: fmt.Sprintf(format, args...)})
}

// note reports what is worth knowing and no fault.
func (d *doctor) note(about, format string, args ...any) {
	d.tell(told{Level: "note", About: about, Text: fmt.Sprintf(format, args...)})
}

// finding reports a fault and what to do about it.
func (d *doctor) finding(about, remedy, format string, args ...any) {
	d.findings++
	d.tell(told{Level: "finding", About: about, Text: fmt.Sprintf(format, args...), Remedy: remedy})
}

// told is one line of an examination.
type told struct {
	Level  string `json:"level"` // ok, note, finding
	About  string `json:"about"` // key, cookie, proxy, store, clock
	Text   string `json:"text"`
	Remedy string `json:"remedy,omitempty"`
}

func (d *doctor) tell(t told) {
	var err error
	if d.json {
		err = d.object(t)
	} else {
		if t.Remedy != "" {
			t.Remedy = "\n         remedy: " + t.Remedy
		}
		level := t.Level
		if level == "finding" { // to be seen among the others
			level = "FINDING"
		}
		_, err = fmt.Fprintf(d.Out, "%-7s  %-7s %s%s\n", level, t.About, t.Text, t.Remedy)
	}
	d.err = cmp.Or(d.err, err)
}
