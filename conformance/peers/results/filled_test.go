package main

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFilledTable(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(strings.NewReader(`
BenchmarkFilled/sqlite-2   	filled sqlite peer scs sqlite3store
filled sqlite note 1,000,000 sessions.
filled sqlite rate insert empty 20000
filled sqlite rate insert filled 17345
filled sqlite rate insert peer 1734.5
filled sqlite rate insert raw 20000
filled sqlite rate insert schema1 4600
filled sqlite rate find filled 1.25
filled sqlite rate find peer 0
filled memory peer scs memstore
filled memory rate load filled 1234567
`), &out, io.Discard))
	for _, row := range []string{
		"### sqlite\n\n1,000,000 sessions.\n\n| verb | empty | full | full of empty | scs sqlite3store | of the peer's | raw driver |",
		"| insert | 20,000 | 17,300 | 0.867 | 1,730 | 10 | 20,000 | 0.867 | 4,600 |\n",
		"| find a user's 1 to 5 |  | 1.25 |  |  |  |",
		"### memory",
		"| load |  | 1,230,000 |  |  |  |\n",
	} {
		require.Contains(t, out.String(), row)
	}
	for _, bad := range []string{"filled sqlite rate insert empty x", "filled sqlite rate insert 5", "filled sqlite speed 5 of 6"} {
		require.Error(t, run(strings.NewReader(bad), io.Discard, io.Discard), bad)
	}
}
