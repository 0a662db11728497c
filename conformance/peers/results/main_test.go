package main

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTable(t *testing.T) {
	list := "# Fast\na\tthe first\nb\tthe second\nc\tthe third\n"
	defer func(was string) { listed = was }(listed)
	listed = list
	var out bytes.Buffer
	require.NoError(t, run(strings.NewReader(`noise
ratio a 3 2 ok
ratio a 1 2 short
ratio a 2.5 2 ok
ratio b 0.5 0.125 short
BenchmarkRatioZ-2   	ratio z 1 1 ok
`), &out, io.Discard))
	for _, row := range []string{
		"| the first | 2.5 | 1 to 3 | 3 | at least 2 | met |",
		"| the second | 0.5 | 0.5 to 0.5 | 1 | at most 0.125 | **short** |",
		"| the third | | | 0 | | **missing** |",
		"## Others",
		"| z | 1 | 1 to 1 | 1 | 1 | met |",
		"2 met, 1 short, 1 missing.",
	} {
		require.Contains(t, out.String(), row)
	}
	require.Error(t, run(strings.NewReader("ratio a x 2 ok\n"), io.Discard, io.Discard))
	for _, bad := range []string{"a\tno section", "# s\nno tab", "# s\na\tb\na\tc"} {
		listed = bad
		require.Error(t, run(strings.NewReader(""), io.Discard, io.Discard), bad)
	}
}

func TestTheListIsWhole(t *testing.T) {
	sections, err := parseListed(listed)
	require.NoError(t, err)
	require.NotEmpty(t, sections)
}
