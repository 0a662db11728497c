package sessionctl

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"strings"
	"text/tabwriter"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

var showCommand = Command{
	Name: "show", Args: "ID", IDs: true, Brief: "show one session, with the key also its encrypted part",
	About: `Shows what the store keeps of a session in clear. With the key it also shows what is
encrypted: addresses, user agents, the deadline, and the names, types and sizes of the
values. With --values it shows the values, too. It never shows the secret: the store has
only a hash of it. Exit code 1: the session does not exist or cannot be decrypted.`,
	Examples: []string{`sessionctl show sBzS0p1aQkq3M0nJq2p9rw`, `sessionctl show --json sBzS0p1aQkq3M0nJq2p9rw`},
	Flags:    showFlags,
}

type showing struct {
	target
	keyFile string
	values  bool
}

func showFlags(set *flag.FlagSet) func(context.Context, *Program, []string) error {
	s := &showing{}
	s.target.add(set)
	set.StringVar(&s.keyFile, "key-file", "", "read the key, or the keys of a rotation, from `FILE` instead of the environment")
	set.BoolVar(&s.values, "values", false, "show the values, too; needs the key")
	return s.run
}

// details is all that is shown of a session.
type details struct {
	row
	Version string  `json:"version"` // 16 hexadecimal digits
	Expired bool    `json:"expired"`
	Opens   bool    `json:"opens"`
	Refused string  `json:"refused,omitempty"` // why it does not open
	Inside  *inside `json:"sealed,omitempty"`
}

// inside is what was sealed.
type inside struct {
	Deadline      moment    `json:"deadline"`
	LoginAt       *moment   `json:"login,omitempty"` // none: nobody signed in
	IP            string    `json:"ip"`
	UserAgent     string    `json:"user_agent"`
	LastIP        string    `json:"last_ip"`
	LastUserAgent string    `json:"last_user_agent"`
	Values        []content `json:"values"`
}

// content is one value.
type content struct {
	Name  string `json:"name"`
	Type  string `json:"type"` // of Go
	Size  int    `json:"size"` // bytes of CBOR
	Value any    `json:"value,omitempty"`
}

func (s *showing) run(ctx context.Context, p *Program, args []string) error {
	ids, err := parseIDs("show", args)
	if err != nil {
		return err
	}
	if len(ids) != 1 {
		return Usagef("show: the session IDs are %v; allowed: one", ids)
	}
	keys, err := readKeys(s.keyFile)
	if err != nil && (!errors.Is(err, errNoKeyGiven) || s.values) {
		return usageError{err}
	}
	return s.with(ctx, p, false, func(store hosts.Store) error {
		r, err := store.Load(ctx, ids[0])
		if err != nil {
			return stopped(ctx, "show", fmt.Errorf("session %v: %w", ids[0], err))
		}
		d := details{row: rowOf(&r), Version: fmt.Sprintf("%016x", uint64(r.Version))}
		d.Expired = core.Time(p.Now().UnixMilli()) >= r.ExpiresAt
		if len(keys) > 0 {
			err = d.open(r, keys, s.values)
		}
		if err != nil {
			d.Refused = err.Error()
		}
		if s.json {
			if err := p.object(d); err != nil {
				return err
			}
		} else if err := p.details(&d, len(keys) > 0); err != nil {
			return err
		}
		if err != nil {
			return errFindings
		}
		return nil
	})
}

// open shows what is sealed, also of a session that has run out.
func (d *details) open(r core.Record, keys core.KeyRing, values bool) error {
	m, err := core.NewMachine(core.Policy{}, keys)
	if err != nil {
		return err
	}
	live := min(r.SeenAt, r.ExpiresAt-1) // a moment at which nothing had run out
	c, err := m.Resume(core.ByID(r.ID), r, core.Request{AnyTenant: true}, live)
	if err != nil {
		return err
	}
	in := &inside{
		Deadline: moment(c.Deadline()), IP: address(c.IP()), UserAgent: c.UserAgent(),
		LastIP: address(c.LastIP()), LastUserAgent: c.LastUserAgent(), Values: []content{},
	}
	if at := moment(c.LoginAt()); at != 0 {
		in.LoginAt = &at
	}
	for _, name := range c.Names() {
		raw, _ := c.Value(name)
		v, err := core.DecodeValue(raw)
		if err != nil {
			return fmt.Errorf("value %q: %w", name, err)
		}
		one := content{Name: name, Type: goNames.Replace(fmt.Sprintf("%T", v)), Size: len(raw)}
		if values {
			one.Value = readable(v)
		}
		in.Values = append(in.Values, one)
	}
	d.Opens, d.Inside = true, in
	return nil
}

// goNames are types as programs write them.
var goNames = strings.NewReplacer("interface {}", "any", "uint8", "byte")

func address(ip string) string {
	a, ok := netip.AddrFromSlice([]byte(ip))
	if !ok {
		return ""
	}
	return a.String()
}

func (p *Program) details(d *details, hasKey bool) error {
	table := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', 0)
	line := func(name, format string, args ...any) {
		fmt.Fprintf(table, "%s\t%s\n", name, fmt.Sprintf(format, args...))
	}
	line("session", "%v", d.ID)
	line("version", "%s", d.Version)
	line("tenant", "%s", shown(d.Tenant))
	line("user", "%s", shown(d.User))
	line("created", "%v", d.Created)
	line("seen", "%v", d.Seen)
	over := ""
	if d.Expired {
		over = ", expired"
	}
	line("expires", "%v%s", d.Expires, over)
	switch in := d.Inside; {
	case d.Refused != "":
		line("encrypted", "%s", bytesOf(d.Size))
		line("refused", "%s", escaped(d.Refused))
		line("remedy", "give the key that it was encrypted with. If that is this key, the record was changed in the store: end the session")
	case !hasKey:
		line("encrypted", "%s; set %s or give --key-file to see them", bytesOf(d.Size), hosts.DefaultKeyVariable)
	default:
		line("encrypted", "%s, opened", bytesOf(d.Size))
		line("deadline", "%v", in.Deadline)
		if in.LoginAt != nil {
			line("login", "%v", *in.LoginAt)
		}
		line("created by", "%s, %s", shown(in.IP), shown(in.UserAgent))
		line("last used by", "%s, %s", shown(in.LastIP), shown(in.LastUserAgent))
		for _, v := range in.Values {
			line("value", "%s", v)
		}
	}
	return table.Flush()
}
