package sessionctl

import (
	"errors"
	"flag"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/gateway"
	"github.com/rockstar-web/sessions/stores"
)

// gatewayFlag names the flag of a field that may be refused.
var gatewayFlag = map[string]string{"Origin": "--origin", "LoginURL": "--login",
	"CookieName": "--name", "IdleTimeout": "--idle", "RenewGrace": "--renew-grace", "Timeout": "--timeout", "BodyTimeout": "--body-timeout",
	"URIField": "--check-uri", "URIPrefix": "--check-prefix", "TrustedProxies": "--trusted-proxy", "StripCookie, KeepHost or Transport": "--strip-cookie or --keep-host"}

// typedDuration keeps the text that was typed, for errors.
type typedDuration struct {
	flag.Getter
	text string
}

func (d *typedDuration) Set(text string) error {
	d.text = text
	return d.Getter.Set(text)
}

func (g *gatewaySetup) duration(set *flag.FlagSet, to *time.Duration, name string, preset time.Duration, usage string) {
	set.DurationVar(to, name, preset, usage)
	f := set.Lookup(name)
	d := &typedDuration{Getter: f.Value.(flag.Getter)}
	f.Value = d
	g.durations["--"+name] = d
}

// rule enters a flag that makes rules of prefixes.
func (g *gatewaySetup) rule(set *flag.FlagSet, name string, access gateway.Access, usage string) {
	set.Func(name, usage, func(prefix string) error {
		g.o.Rules = append(g.o.Rules, gateway.Rule{Prefix: prefix, Access: access})
		g.ruleFlags[prefix] = append(g.ruleFlags[prefix], "--"+name)
		return nil
	})
}

// refusedIsUsage names the flag of a field, and repeats what was typed.
func (g *gatewaySetup) refusedIsUsage(err error) error {
	refused, ok := errors.AsType[*hosts.ConfigError](err)
	if !ok {
		return err
	}
	name, value, is := gatewayFlag[refused.Field], refused.Value, "is"
	if refused.Field == "Rules.Prefix" {
		flags := slices.Compact(g.ruleFlags[value])
		if name = strings.Join(flags, " and "); len(flags) > 1 {
			is = "are"
		}
	}
	if name == "" {
		return usageError{err}
	}
	allowed := refused.Allowed
	if d := g.durations[name]; d != nil && d.text != "" {
		value = d.text
		allowed = milliseconds.ReplaceAllStringFunc(allowed, func(text string) string {
			d, err := time.ParseDuration(strings.ReplaceAll(text, " ", ""))
			if err != nil {
				return text
			}
			return d.String()
		})
	}
	return Usagef("gateway: %s %s %q; allowed: %s", name, is, stores.Typed(value), allowed)
}

// milliseconds matches durations as the core prints them.
var milliseconds = regexp.MustCompile(`\d+ ms`)
