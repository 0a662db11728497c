package sessionctl

import (
	"bytes"
	"flag"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/rockstar-web/sessions/stores"
)

const keyVariables = "  SESSION_ENCRYPTION_KEY   the key, 64 hexadecimal digits, as keygen prints it\n" +
	"  SESSION_ENCRYPTION_KEYS  in its place, the keys of a rotation: HEX@..UNTIL,HEX@FROM,\n" +
	"                           times as in 2026-05-01T00:00:00Z: from FROM on a key encrypts,\n" +
	"                           until UNTIL it opens cookies\n"

const storeVariables = "  SESSION_STORE            the store where --store names none; unlike a command\n" +
	"                           line, it does not show a password to other users\n"

// storeNames lists the stores, one a line, each with the word that stands for it.
func storeNames() string {
	text := "\nStores:"
	for name := range strings.SplitSeq(stores.Allowed(), ", ") {
		if strings.Contains(name, ":") {
			text += "\n  " + name
		} else {
			text += " or " + name
		}
	}
	return text + "\n"
}

// surroundings is what a command reads beside its line: keys, a store.
func surroundings(key, store bool) (text string) {
	if key || store {
		text = "\nEnvironment:\n"
	}
	if key {
		text += keyVariables
	}
	if store {
		text += storeVariables
	}
	return text
}

func (p *Program) help(args []string) error {
	var text bytes.Buffer
	if len(args) == 0 || args[0] == "help" {
		fmt.Fprint(&text, "Sessionctl looks at and changes the sessions of a store, and checks a setup.\n\nUsage: sessionctl COMMAND [flags]\n\n")
		table := tabwriter.NewWriter(&text, 0, 0, 3, ' ', 0)
		for _, c := range p.commands() {
			fmt.Fprintf(table, "  %s\t%s\n", c.Name, c.Brief)
		}
		fmt.Fprint(table, "  help COMMAND\tall about a command\n")
		table.Flush()
		fmt.Fprintf(&text, "%s%s\nExit codes: 0 fine, 1 something is wrong, 2 wrong usage. Errors and progress go to stderr.\n",
			surroundings(true, true), storeNames())
		_, err := text.WriteTo(p.Out)
		return err
	}
	c, err := p.find(args[0])
	if err != nil {
		return err
	}
	set := flag.NewFlagSet(c.Name, flag.ContinueOnError)
	c.Flags(set)
	usage := "sessionctl " + c.Name
	set.VisitAll(func(*flag.Flag) { usage = "sessionctl " + c.Name + " [flags]" })
	fmt.Fprintf(&text, "Usage: %s\n\n%s\n", strings.TrimSpace(usage+" "+c.Args), c.About)
	table := tabwriter.NewWriter(&text, 0, 0, 3, ' ', 0)
	first := true
	set.VisitAll(func(f *flag.Flag) {
		if first {
			fmt.Fprint(table, "\nFlags:\n")
			first = false
		}
		shape, usage := flag.UnquoteUsage(f)
		if !slices.Contains([]string{"", "false", "0", "0s"}, f.DefValue) {
			usage += " (" + f.DefValue + ")"
		}
		fmt.Fprintf(table, "  --%s\t%s\n", strings.TrimSpace(f.Name+" "+shape), usage)
	})
	table.Flush()
	if len(c.Examples) > 0 {
		fmt.Fprint(&text, "\nExamples:\n  "+strings.Join(c.Examples, "\n  ")+"\n")
	}
	fmt.Fprint(&text, surroundings(c.Key || set.Lookup("key-file") != nil, set.Lookup("store") != nil))
	_, err = text.WriteTo(p.Out)
	return err
}
