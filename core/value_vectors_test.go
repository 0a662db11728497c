package core

import (
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write testdata again from what the code does")

// TestValueVectors holds the stored format: a difference in values.txt means
// that sessions already stored would be read differently.
func TestValueVectors(t *testing.T) {
	const path = "testdata/values.txt"
	var b strings.Builder
	fmt.Fprintln(&b, "# Values as they are stored: bytes in hex, then Go type and value.")
	fmt.Fprintf(&b, "# Private tags: int64 %d, uint64 %d, time.Time %d, time.Duration %d, string that is not UTF-8 %d,\n# []string %d, []int %d, map[string]string %d.\n",
		tagInt64, tagUint64, tagTime, tagDuration, tagBytesText, tagStrings, tagInts, tagStringMap)
	for _, e := range examples() {
		data, err := AppendValue(nil, e.in)
		require.NoError(t, err)
		fmt.Fprintf(&b, "%s  %s\n", hex.EncodeToString(data), e.what)
	}
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, []byte(b.String()), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), b.String())
}

func TestEncodingAllocatesNothing(t *testing.T) {
	buf := make([]byte, 0, 1024)
	for _, v := range []any{nil, true, 300, int64(1) << 40, uint64(1) << 63, 1.1, "text", "\xff", []byte("bytes"), time.Unix(1, 2).UTC(),
		time.Second, []string{"a"}, []int{1}, []any{1, "a"}, map[string]string{"a": "b", "c": "d"}, manyEntries(sortedOnStack)} {
		allocated := testing.AllocsPerRun(20, func() {
			var err error
			if buf, err = AppendValue(buf[:0], v); err != nil {
				t.Fatal(err)
			}
		})
		require.Zero(t, allocated, "%T", v)
	}
}

func manyEntries(n int) map[string]any {
	m := make(map[string]any, n)
	for i := range n {
		m[fmt.Sprintf("key %d", i)] = i
	}
	return m
}

func TestCheckingAllocatesNothing(t *testing.T) {
	for _, e := range examples() {
		data, err := hex.DecodeString(e.hex)
		require.NoError(t, err)
		require.Zero(t, testing.AllocsPerRun(20, func() {
			if err := CheckValue(data); err != nil {
				t.Fatal(err)
			}
		}), e.what)
	}
}

// A scalar costs its box, and a string or []byte its bytes besides.
func TestDecodingAScalarAllocatesItsBox(t *testing.T) {
	for _, c := range []struct {
		v    any
		most float64
	}{{nil, 0}, {true, 0}, {7, 0}, {1 << 20, 1}, {int64(1) << 40, 1}, {uint64(1) << 40, 1}, {1.1, 1}, {time.Second, 1},
		{time.Unix(1, 2).UTC(), 1}, {"text that is no constant", 2}, {[]byte("bytes"), 2}} {
		data, err := AppendValue(nil, c.v)
		require.NoError(t, err)
		require.LessOrEqual(t, testing.AllocsPerRun(20, func() {
			if _, err := DecodeValue(data); err != nil {
				t.Fatal(err)
			}
		}), c.most, "%T", c.v)
	}
}
