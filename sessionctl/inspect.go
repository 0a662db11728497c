package sessionctl

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/stores"
)

// maxCookieText is how many bytes are read from standard input.
const maxCookieText = 64 << 10

var inspectCommand = Command{
	Name: "inspect", Args: "[COOKIE]", Brief: "open a cookie and show what it contains, or why it is refused",
	About: `Opens a session cookie with the key, and prints its format, key ID, hour of encryption,
session ID and generation. If the cookie is refused, it prints why, and the exit code
is 1. It needs no store, and never prints the secret.

COOKIE is a value, or a whole Cookie: or Set-Cookie: line. Without COOKIE, the command
reads standard input.`,
	Examples: []string{`sessionctl inspect 'rockstar_session=AbC...'`, `sessionctl inspect < cookie.txt`},
	Flags:    inspectFlags,
}

type inspection struct{ keyFile, name, tenant, now string }

func inspectFlags(set *flag.FlagSet) func(context.Context, *Program, []string) error {
	var i inspection
	set.StringVar(&i.keyFile, "key-file", "", "read the key, or the keys of a rotation, from `FILE` instead of the environment")
	set.StringVar(&i.name, "name", "", "the `NAME` of the cookie (default: the one in the line, or "+core.DefaultCookieName+")")
	set.StringVar(&i.tenant, "tenant", "", "the `TENANT` that the cookie was encrypted for")
	set.StringVar(&i.now, "now", "", "check the cookie as if it were `TIME`, such as 2026-05-04T03:02:01Z")
	return i.run
}

func (i *inspection) run(_ context.Context, p *Program, args []string) error {
	now := p.Now()
	if i.now != "" {
		var err error
		if now, err = time.Parse(time.RFC3339, i.now); err != nil {
			return Usagef("inspect: --now is %q; allowed: a time such as 2026-05-04T03:02:01Z", stores.Typed(i.now))
		}
	}
	if len(args) > 1 {
		return Usagef("inspect: the arguments are %d; allowed: one cookie, in quotes if it is a line", len(args))
	}
	keys, err := readKeys(i.keyFile)
	if err != nil {
		return usageError{err}
	}
	text, err := cookieText(p.In, args)
	if err != nil {
		return err
	}
	name, values, err := pick(text, i.name)
	if err != nil {
		return err
	}
	m, err := core.NewMachine(core.Policy{CookieName: name}, keys)
	if err != nil {
		return Usagef("inspect: %w", err)
	}
	return i.report(p.Out, m, values, now)
}

func (i *inspection) report(out io.Writer, m *core.Machine, values []string, now time.Time) error {
	refused := false
	for n, value := range values {
		if n > 0 {
			fmt.Fprintln(out)
		}
		in, err := m.Inspect(value, i.tenant, core.Time(now.UnixMilli()))
		refused = refused || err != nil
		table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		fmt.Fprintf(table, "cookie\t%s, %s\n", m.Policy().CookieName, bytesOf(len(value)))
		if in.Format != 0 {
			fmt.Fprintf(table, "format\t%d\n", in.Format)
		}
		if in.KeyID != "" {
			hour := time.UnixMilli(int64(in.Epoch)).UTC()
			fmt.Fprintf(table, "key ID\t%s\nencrypted\t%s to %s\n", in.KeyID, hour.Format(time.RFC3339), hour.Add(time.Hour).Format(time.RFC3339))
		}
		if err != nil {
			fmt.Fprintf(table, "refused\t%s: %v\nremedy\t%s\n", core.ReasonOf(err), err, remedy(err))
		} else {
			fmt.Fprintf(table, "session\t%v\ngeneration\tchain %d, step %d\nopens\tyes; only its store knows whether the session is still live\n", in.ID, in.Chain, in.Step)
		}
		if err := table.Flush(); err != nil {
			return err
		}
	}
	if refused {
		return errFindings
	}
	return nil
}

func remedy(err error) string {
	switch core.ReasonOf(err) {
	case core.ReasonUnknownKey:
		return "give the key with that ID; compare the keys of all servers"
	case core.ReasonNotAuthentic:
		return "check whether --name and --tenant are those it was set with, and whether the clock is right; otherwise it was changed on its way"
	case core.ReasonExpired:
		return "none: it is older than any session may be"
	}
	return "check whether it was cut short or changed on its way"
}

func cookieText(in io.Reader, args []string) (string, error) {
	if len(args) == 1 {
		return args[0], nil
	}
	text, err := io.ReadAll(io.LimitReader(in, maxCookieText))
	if err != nil {
		return "", fmt.Errorf("inspect: standard input: %w", err)
	}
	return string(text), nil
}

var errNoCookieText = errors.New("inspect: no cookie in the input; allowed: a value, or a Cookie: or Set-Cookie: line")

// pick finds the name and the values of the session cookie in a value, a
// Cookie field, or a Set-Cookie field with its attributes.
func pick(text, name string) (string, []string, error) {
	text = strings.TrimSpace(text)
	lower := strings.ToLower(text)
	if strings.HasPrefix(lower, "set-cookie:") || strings.HasPrefix(lower, "cookie:") {
		_, text, _ = strings.Cut(text, ":")
	}
	if text == "" {
		return "", nil, errNoCookieText
	}
	if !strings.Contains(text, "=") { // no value of ours has one
		return cmp.Or(name, core.DefaultCookieName), []string{text}, nil
	}
	pairs := strings.Split(text, ";")
	names := namesIn(pairs)
	found := cmp.Or(name, sessionName(names))
	var values []string
	for _, pair := range pairs {
		if n, value, ok := strings.Cut(strings.TrimSpace(pair), "="); ok && n == found && found != "" {
			values = append(values, strings.TrimSpace(value))
		}
	}
	listed := stores.Typed(strings.Join(names, ", "))
	switch {
	case len(values) > 0:
		return found, values, nil
	case name != "":
		return "", nil, fmt.Errorf("inspect: no cookie %q in the input, which has: %s", stores.Typed(name), listed)
	}
	return "", nil, fmt.Errorf("inspect: no session cookie in the input, which has: %s; if one of them is it, name it with --name", listed)
}

// attributes of a Set-Cookie field are no cookies.
var attributes = []string{"path", "domain", "max-age", "expires", "samesite"}

// namesIn lists the cookies, each once.
func namesIn(pairs []string) (names []string) {
	for _, pair := range pairs {
		n, _, ok := strings.Cut(strings.TrimSpace(pair), "=")
		if ok && !slices.Contains(attributes, strings.ToLower(n)) && !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	return names
}

// sessionName guesses which cookie is the session's: the one of the default name, with
// a prefix or without, or else the only one.
func sessionName(names []string) string {
	for _, prefix := range []string{"", "__Host-", "__Secure-", "__Host-Http-", "__Http-"} {
		if n := prefix + core.DefaultCookieName; slices.Contains(names, n) {
			return n
		}
	}
	if len(names) == 1 {
		return names[0]
	}
	return ""
}
