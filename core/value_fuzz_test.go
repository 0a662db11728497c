package core

import (
	"bytes"
	"encoding/hex"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// FuzzDecodeValue: whatever the bytes, nothing panics, the three readers agree,
// and what is accepted is exactly what would be written.
func FuzzDecodeValue(f *testing.F) {
	for _, e := range examples() {
		data, err := hex.DecodeString(e.hex)
		require.NoError(f, err)
		f.Add(data)
		f.Add(append(data, 0))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		kept := bytes.Clone(data)
		v, err := DecodeValue(data)
		checked := CheckValue(data)
		n, skipped := skipValue(data)
		require.Equal(t, kept, data, "reading changes nothing")
		if err != ErrIntSize {
			require.Equal(t, err, checked)
		}
		require.Equal(t, checked == nil, skipped == nil && n == len(data))
		if skipped == nil {
			require.NoError(t, CheckValue(data[:n]))
		}
		if err != nil {
			require.Nil(t, v)
			return
		}
		again, err := AppendValue(nil, v)
		require.NoError(t, err)
		require.Equal(t, data, again)
	})
}

// FuzzValueRoundTrip builds a value from the fuzzer's choices: what is encoded
// comes back with its types, and encodes to the same bytes again.
func FuzzValueRoundTrip(f *testing.F) {
	f.Add([]byte("\x0a\x03\x0b\x02\x0c\x04"), "text", int64(-1), 1.5, uint64(7))
	f.Add([]byte("\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0d\x0e\x0f"), "\xff", int64(math.MaxInt64), math.Inf(-1), uint64(math.MaxUint64))
	f.Add([]byte("\x0b\x0b\x0b\x0a\x0a\x0a"), "", int64(0), math.Copysign(0, -1), uint64(0))
	f.Fuzz(func(t *testing.T, choices []byte, s string, n int64, x float64, u uint64) {
		g := maker{choices: choices, s: s, n: n, x: x, u: u}
		v := g.value(0)
		data, err := AppendValue(nil, v)
		if err != nil {
			require.Contains(t, []error{ErrTime, ErrValueSize}, err)
			return
		}
		got, err := DecodeValue(data)
		require.NoError(t, err)
		require.IsType(t, v, got)
		again, err := AppendValue(nil, got)
		require.NoError(t, err)
		require.Equal(t, data, again)
		if x == x {
			require.EqualValues(t, withoutZones(v), withoutZones(got))
		}
	})
}

// maker makes a value, kind by kind as the choices say, of the given parts.
type maker struct {
	choices []byte
	s       string
	n       int64
	x       float64
	u       uint64
}

func (g *maker) next() byte {
	if len(g.choices) == 0 {
		return 0
	}
	c := g.choices[0]
	g.choices = g.choices[1:]
	return c
}

func (g *maker) value(depth int) any {
	switch g.next() % 16 {
	case 1:
		return g.u%2 == 0
	case 2:
		return int(g.n)
	case 3:
		return g.n
	case 4:
		return g.u
	case 5:
		return g.x
	case 6:
		return g.s
	case 7:
		return []byte(g.s)
	case 8:
		return time.Unix(g.n, int64(g.u%1e9)).In(time.FixedZone("", int(g.n%90000)))
	case 9:
		return time.Duration(g.n)
	case 10, 11:
		return g.container(depth)
	case 12:
		return []string{g.s, string(g.next()), g.s}
	case 13:
		return []int{int(g.n), int(g.next()), -1}
	case 14:
		return map[string]string{g.s: "", "k": g.s, string(g.next()): "v"}
	}
	return nil
}

func (g *maker) container(depth int) any {
	if depth >= MaxNesting-2 { // room for a []string in a list
		return nil
	}
	n := int(g.next() % 24)
	if n%2 == 0 {
		list := make([]any, n)
		for i := range list {
			list[i] = g.value(depth + 1)
		}
		return list
	}
	m := map[string]any{}
	for i := range n {
		m[g.s[:min(len(g.s), i)]+string(g.next())] = g.value(depth + 1)
	}
	return m
}

// withoutZones puts every time in UTC, where equal times are deeply equal.
func withoutZones(v any) any {
	switch v := v.(type) {
	case time.Time:
		return v.UTC()
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = withoutZones(v[i])
		}
		return list
	case map[string]any:
		m := make(map[string]any, len(v))
		for key := range v {
			m[key] = withoutZones(v[key])
		}
		return m
	}
	return v
}
