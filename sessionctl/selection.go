package sessionctl

import (
	"flag"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/stores"
)

// A selection is a query as it was given. An empty name is one that was given
// too: --user "" is who is not signed in.
type selection struct {
	user, tenant *string
}

func (s *selection) add(set *flag.FlagSet, user, tenant string) {
	for _, f := range []struct {
		name, usage string
		to          **string
	}{{"user", user, &s.user}, {"tenant", tenant, &s.tenant}} {
		set.Func(f.name, f.usage, func(text string) error {
			*f.to = &text
			return nil
		})
	}
}

// query selects whatever was not given, too.
func (s *selection) query() hosts.Query {
	q := hosts.Query{AnyUser: s.user == nil, AnyTenant: s.tenant == nil}
	if s.user != nil {
		q.User = *s.user
	}
	if s.tenant != nil {
		q.Tenant = *s.tenant
	}
	return q
}

// parseMoment reads a time, or how long ago it was.
func parseMoment(flag, text string, now time.Time) (core.Time, error) {
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return core.Time(now.Add(-ago).UnixMilli()), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return 0, Usagef("--%s is %q; allowed: a time such as 2026-05-04T03:02:01Z, or how long ago, such as 90m", flag, stores.Typed(text))
	}
	return core.Time(at.UnixMilli()), nil
}
