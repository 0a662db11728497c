package sessionctl

import (
	"flag"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
)

func TestParseArgs(t *testing.T) {
	id := core.ID{0xfb, 0xff, 1}.String()
	require.True(t, strings.HasPrefix(id, "-"))
	for _, c := range []struct {
		line string
		ids  bool
		rest string // "!": refused
		a    string
		b    bool
	}{
		{"", false, "", "", false},
		{"-a 1 x", false, "x", "1", false},
		{"x -a 1 y --b", false, "x y", "1", true},
		{"- --b", false, "-", "", true},
		{"x -- -a --b --", false, "x -a --b --", "", false},
		{"-a", false, "!", "", false},
		{"x --c", false, "!", "", false},
		{id, false, "!", "", false},
		{id + " -a 1 " + id + " --b x", true, id + " " + id + " x", "1", true},
		{"-- " + id, false, id, "", false},
	} {
		set := flag.NewFlagSet("", flag.ContinueOnError)
		set.SetOutput(io.Discard)
		a, b := set.String("a", "", ""), set.Bool("b", false, "")
		rest, err := parseArgs(set, strings.Fields(c.line), c.ids)
		if c.rest == "!" {
			require.Error(t, err, c.line)
			continue
		}
		require.NoError(t, err, c.line)
		require.Equal(t, c.rest, strings.Join(rest, " "), c.line)
		require.Equal(t, c.a, *a, c.line)
		require.Equal(t, c.b, *b, c.line)
	}
}
