package sessionctl

import (
	"errors"
	"flag"
	"net/netip"
	"slices"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/stores"
)

// parseArgs reads flags wherever they stand before "--", and returns the rest.
// With ids, a session ID is no flag, though one in 64 begins with "-".
func parseArgs(set *flag.FlagSet, args []string, ids bool) (rest []string, err error) {
	var literal []string
	if i := slices.Index(args, "--"); i >= 0 {
		args, literal = args[:i], args[i+1:]
	}
	dashed := func(arg string) bool {
		_, err := core.ParseID(arg)
		return ids && err == nil && arg[0] == '-'
	}
	for _, arg := range args {
		if dashed(arg) {
			rest = append(rest, arg)
		}
	}
	args = slices.DeleteFunc(slices.Clone(args), dashed)
	for {
		if err := set.Parse(args); err != nil {
			return nil, err
		}
		if set.NArg() == 0 {
			return append(rest, literal...), nil
		}
		rest, args = append(rest, set.Arg(0)), set.Args()[1:]
	}
}

// typed are arguments, fit to be repeated.
func typed(args []string) []string {
	list := slices.Clone(args)
	for i := range list {
		list[i] = stores.Typed(list[i])
	}
	return list
}

// AddPrefix reads an address or a prefix into a list, for flags. It takes a single
// address for the prefix of its whole length.
func AddPrefix(list *[]netip.Prefix, text string) error {
	p, err := netip.ParsePrefix(text)
	if err != nil {
		a, err := netip.ParseAddr(text)
		if err != nil {
			return errors.New("allowed: an address or a prefix, such as 10.0.0.0/8")
		}
		p = netip.PrefixFrom(a, a.BitLen())
	}
	*list = append(*list, p)
	return nil
}
