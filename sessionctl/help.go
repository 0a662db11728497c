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

const firstExamples = `
Examples:
  sessionctl list --user alice --store postgres://app@db/shop
  sessionctl doctor --store postgres://app@db/shop --url https://shop.example
  sessionctl help end-all
`

const keyVariables = "  SESSION_ENCRYPTION_KEY   the key, 64 hexadecimal digits, as keygen prints it\n" +
	"  SESSION_ENCRYPTION_KEYS  instead, the keys of a rotation: HEX@..UNTIL,HEX@FROM. The first one\n" +
	"                           opens cookies until UNTIL, the second one encrypts from FROM.\n" +
	"                           A time is written 2026-05-01T00:00:00Z\n"

const storeVariables = "  SESSION_STORE            the store, if --store is not given. Other users of the machine can\n" +
	"                           read a command line, with a password in it, but not this\n"

// storeNames lists the stores, one a line, each with the word that stands for it.
func storeNames() string {
	text := "\nStores (--store, SESSION_STORE):"
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
	if len(args) == 0 || strings.TrimLeft(args[0], "-") == "help" || args[0] == "-h" {
		fmt.Fprint(&text, "Sessionctl shows, counts and ends the sessions of a store, and checks your setup.\n\nUsage: sessionctl COMMAND [flags]\n\n")
		table := tabwriter.NewWriter(&text, 0, 0, 3, ' ', 0)
		for _, c := range p.commands() {
			fmt.Fprintf(table, "  %s\t%s\n", c.Name, c.Brief)
		}
		fmt.Fprint(table, "  help COMMAND\tshow the flags of a command, with examples\n")
		table.Flush()
		fmt.Fprintf(&text, "%s%s%s\nExit codes: 0 fine, 1 something is wrong, 2 wrong usage. Errors and progress go to stderr.\n",
			firstExamples, surroundings(true, true), storeNames())
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
			usage += " (default " + f.DefValue + ")"
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
