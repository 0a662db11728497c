package sessionctl

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"slices"
	"text/tabwriter"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// maxTenants is how many tenants are counted apart; the others are counted
// together.
const maxTenants = 1000

var statsCommand = Command{
	Name: "stats", Brief: "count sessions by tenant: live, expired, signed in, and their bytes",
	About: `Counts the sessions of a store, of a user or of a tenant. It needs no key, and reads each
session once, a page at a time. Expired sessions count until they are removed. Sessions
that begin or end while it runs may be counted or not.`,
	Examples: []string{"sessionctl stats", "sessionctl stats --tenant acme --json"},
	Flags: func(set *flag.FlagSet) func(context.Context, *Program, []string) error {
		s := &statistics{}
		s.target.add(set)
		s.selection.add(set, "only sessions of `USER`; \"\" for sessions without a user", "only sessions of `TENANT`; \"\" for sessions without a tenant")
		return s.run
	},
}

type statistics struct {
	target
	selection
}

// counts are those of some sessions.
type counts struct {
	Sessions int `json:"sessions"`
	Live     int `json:"live"`
	Expired  int `json:"expired"`
	SignedIn int `json:"signed_in"` // live, with a user
	Bytes    int `json:"bytes"`     // sealed, without what the store adds
}

func (c *counts) add(r *core.Record, now core.Time) {
	c.Sessions++
	c.Bytes += len(r.Sealed)
	switch {
	case r.ExpiresAt <= now:
		c.Expired++
	case r.User != "":
		c.SignedIn++
		fallthrough
	default:
		c.Live++
	}
}

type statsOutput struct {
	counts
	Tenants map[string]*counts `json:"tenants,omitempty"` // "" are those without one; only if there are others
	Others  *counts            `json:"other_tenants,omitempty"`
}

func (s *statistics) run(ctx context.Context, p *Program, _ []string) error {
	return s.with(ctx, p, false, func(store hosts.Store) error {
		m := s.meter(p, "stats")
		defer m.done()
		out := statsOutput{Tenants: map[string]*counts{}}
		now := core.Time(p.Now().UnixMilli())
		for r, err := range walk(ctx, store, s.query()) {
			if err != nil {
				return stopped(ctx, "stats", err)
			}
			m.add(1, shareBefore(r.ID))
			out.add(&r, now)
			out.of(r.Tenant).add(&r, now)
		}
		m.done()
		if len(out.Tenants) == 1 && out.Tenants[""] != nil {
			out.Tenants = nil
		}
		if s.json {
			return p.object(out)
		}
		return p.printStats(&out)
	})
}

func (o *statsOutput) of(tenant string) *counts {
	c := o.Tenants[tenant]
	switch {
	case c != nil:
	case len(o.Tenants) < maxTenants:
		c = &counts{}
		o.Tenants[tenant] = c
	default:
		if o.Others == nil {
			o.Others = &counts{}
		}
		c = o.Others
	}
	return c
}

func (p *Program) printStats(o *statsOutput) error {
	table := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', 0)
	fmt.Fprint(table, "TENANT\tSESSIONS\tLIVE\tEXPIRED\tSIGNED IN\tBYTES\n")
	row := func(name string, c *counts) {
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%d\t%d\n", name, c.Sessions, c.Live, c.Expired, c.SignedIn, c.Bytes)
	}
	for _, tenant := range slices.Sorted(maps.Keys(o.Tenants)) {
		row(shown(tenant), o.Tenants[tenant])
	}
	if o.Others != nil {
		row("(other tenants)", o.Others)
	}
	row("(all)", &o.counts)
	return table.Flush()
}
