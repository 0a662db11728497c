package sessionctl

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"iter"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

var listCommand = Command{
	Name: "list", Brief: "list sessions, by user, tenant or expiry",
	About: `Lists sessions by ID: what the store keeps in clear, and the size of the encrypted part
in bytes. Expired sessions that are not removed yet are listed, too. It needs no key,
and reads a page at a time, however many sessions there are. Sessions that begin or end
while it runs may be missing; all others are listed once. To choose columns, use --json.`,
	Examples: []string{`sessionctl list --user alice`, `sessionctl list --store redis://localhost:6379 --limit 20`, `sessionctl list --expired-before 0s --json`},
	Flags:    listFlags,
}

type listing struct {
	target
	selection
	before string
	limit  int
}

func listFlags(set *flag.FlagSet) func(context.Context, *Program, []string) error {
	l := &listing{}
	l.target.add(set)
	l.selection.add(set, `only sessions of `+"`USER`"+`, in all tenants unless --tenant is given; "" for sessions without a user`,
		"only sessions of `TENANT`; \"\" for sessions without a tenant")
	set.StringVar(&l.before, "expired-before", "", "only sessions that expired before `TIME`: 2026-05-04T03:02:01Z, or 90m for 90 minutes ago; 0s is now")
	set.IntVar(&l.limit, "limit", 0, "list at most `N` sessions; 0 lists all")
	return l.run
}

// row is a session as the store shows it.
type row struct {
	ID      core.ID `json:"id"`
	Tenant  string  `json:"tenant"`
	User    string  `json:"user"`
	Created moment  `json:"created"`
	Seen    moment  `json:"seen"`
	Expires moment  `json:"expires"`
	Size    int     `json:"size"` // sealed bytes
}

func rowOf(r *core.Record) row {
	return row{r.ID, r.Tenant, r.User, moment(r.CreatedAt), moment(r.SeenAt), moment(r.ExpiresAt), len(r.Sealed)}
}

func (l *listing) run(ctx context.Context, p *Program, _ []string) error {
	if l.limit < 0 {
		return Usagef("list: --limit is %d; allowed: 1 or more, or 0 for all", l.limit)
	}
	q := l.query()
	if l.before != "" {
		var err error
		if q.ExpiresBefore, err = parseMoment("expired-before", l.before, p.Now()); err != nil {
			return err
		}
	}
	return l.with(ctx, p, false, func(store hosts.Store) error {
		m := &meter{}
		if isFile(p.Out) { // a terminal shows the list itself, or what a pipe leads to
			m = l.meter(p, "list")
		}
		defer m.done()
		buffered := bufio.NewWriterSize(p.Out, 64<<10)
		inner := *p
		inner.Out = buffered
		err := l.print(&inner, m, walk(ctx, store, q))
		if flushed := buffered.Flush(); err == nil {
			err = flushed
		}
		return stopped(ctx, "list", err)
	})
}

func (l *listing) print(p *Program, m *meter, records iter.Seq2[core.Record, error]) error {
	const layout = "%-22s  %-20s  %-20s  %-20s  %7s  %s\n"
	if !l.json {
		fmt.Fprintf(p.Out, layout, "ID", "CREATED", "SEEN", "EXPIRES", "SIZE", "USER, TENANT")
	}
	n := 0
	for r, err := range records {
		if err != nil {
			return err
		}
		s := rowOf(&r)
		if l.json {
			err = p.object(s)
		} else {
			names := shown(s.User)
			if s.Tenant != "" {
				names += "  " + shown(s.Tenant)
			}
			_, err = fmt.Fprintf(p.Out, layout, s.ID, s.Created, s.Seen, s.Expires, fmt.Sprint(s.Size), names)
		}
		if err != nil {
			return err
		}
		n++
		share := shareBefore(r.ID)
		if l.limit > 0 {
			share = max(share, float64(n)/float64(l.limit))
		}
		m.add(1, share)
		if n == l.limit {
			return nil
		}
	}
	return nil
}
