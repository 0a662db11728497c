package core

import (
	"encoding/hex"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// example is a value, its bytes and, where it is another one, what comes back.
type example struct {
	what string
	in   any
	hex  string
	out  any
}

// examples are the stored format: testdata/values.txt is written from them.
// Those of untagged types are in RFC 8949, appendix A, as far as it has them.
func examples() []example { return slices.Concat(numberExamples(), textExamples(), taggedExamples()) }

func numberExamples() []example {
	return []example{
		{what: "nil", in: nil, hex: "f6"},
		{what: "false", in: false, hex: "f4"},
		{what: "true", in: true, hex: "f5"},

		{what: "int 0", in: 0, hex: "00"},
		{what: "int 1", in: 1, hex: "01"},
		{what: "int 10", in: 10, hex: "0a"},
		{what: "int 23", in: 23, hex: "17"},
		{what: "int 24", in: 24, hex: "1818"},
		{what: "int 100", in: 100, hex: "1864"},
		{what: "int 255", in: 255, hex: "18ff"},
		{what: "int 256", in: 256, hex: "190100"},
		{what: "int 1000", in: 1000, hex: "1903e8"},
		{what: "int 65536", in: 65536, hex: "1a00010000"},
		{what: "int 1000000", in: 1000000, hex: "1a000f4240"},
		{what: "int -1", in: -1, hex: "20"},
		{what: "int -10", in: -10, hex: "29"},
		{what: "int -100", in: -100, hex: "3863"},
		{what: "int -1000", in: -1000, hex: "3903e7"},
		{what: "int 2147483647", in: math.MaxInt32, hex: "1a7fffffff"},
		{what: "int -2147483648", in: math.MinInt32, hex: "3a7fffffff"},

		{what: "float64 0", in: 0.0, hex: "f90000"},
		{what: "float64 -0", in: math.Copysign(0, -1), hex: "f98000"},
		{what: "float64 1", in: 1.0, hex: "f93c00"},
		{what: "float64 1.1", in: 1.1, hex: "fb3ff199999999999a"},
		{what: "float64 1.5", in: 1.5, hex: "f93e00"},
		{what: "float64 65504", in: 65504.0, hex: "f97bff"},
		{what: "float64 65536", in: 65536.0, hex: "fa47800000"},
		{what: "float64 100000", in: 100000.0, hex: "fa47c35000"},
		{what: "float64 largest of 32 bits", in: math.MaxFloat32, hex: "fa7f7fffff"},
		{what: "float64 1e300", in: 1.0e+300, hex: "fb7e37e43c8800759c"},
		{what: "float64 smallest of 16 bits", in: 0x1p-24, hex: "f90001"},
		{what: "float64 largest subnormal of 16 bits", in: 0x3ffp-24, hex: "f903ff"},
		{what: "float64 smallest normal of 16 bits", in: 0x1p-14, hex: "f90400"},
		{what: "float64 half the smallest of 16 bits", in: 0x1p-25, hex: "fa33000000"},
		{what: "float64 subnormal with a bit too many", in: 0x1.004p-15, hex: "fa38002000"},
		{what: "float64 smallest of 32 bits", in: math.SmallestNonzeroFloat32, hex: "fa00000001"},
		{what: "float64 smallest", in: math.SmallestNonzeroFloat64, hex: "fb0000000000000001"},
		{what: "float64 -4", in: -4.0, hex: "f9c400"},
		{what: "float64 -4.1", in: -4.1, hex: "fbc010666666666666"},
		{what: "float64 +Inf", in: math.Inf(1), hex: "f97c00"},
		{what: "float64 -Inf", in: math.Inf(-1), hex: "f9fc00"},
	}
}

func textExamples() []example {
	return []example{
		{what: "string, empty", in: "", hex: "60"},
		{what: "string a", in: "a", hex: "6161"},
		{what: "string IETF", in: "IETF", hex: "6449455446"},
		{what: "string of a quote and a backslash", in: "\"\\", hex: "62225c"},
		{what: "string of U+00FC", in: "\u00fc", hex: "62c3bc"},
		{what: "string of U+6C34", in: "\u6c34", hex: "63e6b0b4"},
		{what: "string of U+10151", in: "\U00010151", hex: "64f0908591"},
		{what: "string of 24 bytes", in: strings.Repeat("x", 24), hex: "7818" + strings.Repeat("78", 24)},
		{what: "string that is not UTF-8", in: "a\xff", hex: "d9be044261ff"},
		{what: "string of half a surrogate pair", in: "\xed\xa0\x80", hex: "d9be0443eda080"},

		{what: "[]byte, empty", in: []byte{}, hex: "40"},
		{what: "[]byte, nil", in: []byte(nil), hex: "40", out: []byte{}},
		{what: "[]byte 1 2 3 4", in: []byte{1, 2, 3, 4}, hex: "4401020304"},

		{what: "[]any, empty", in: []any{}, hex: "80"},
		{what: "[]any, nil", in: []any(nil), hex: "80", out: []any{}},
		{what: "[]any 1 2 3", in: []any{1, 2, 3}, hex: "83010203"},
		{what: "[]any, nested", in: []any{1, []any{2, 3}, []any{4, 5}}, hex: "8301820203820405"},
		{what: "[]any a, map b c", in: []any{"a", map[string]any{"b": "c"}}, hex: "826161a161626163"},
		{what: "[]any of tagged values", in: []any{int64(1), []string{"a"}}, hex: "82d9be0001d9be05816161"},

		{what: "map[string]any, empty", in: map[string]any{}, hex: "a0"},
		{what: "map[string]any, nil", in: map[string]any(nil), hex: "a0", out: map[string]any{}},
		{what: "map[string]any a 1, b [2 3]", in: map[string]any{"a": 1, "b": []any{2, 3}}, hex: "a26161016162820203"},
		{what: "map[string]any ordered by encoded key",
			in:  map[string]any{"aa": 1, "z": 2, "": 3, "a\xff": 4, "user_b": 5, "user_a": 6},
			hex: "a66003617a026261610166757365725f610666757365725f6205d9be044261ff04"},
	}
}

func taggedExamples() []example {
	east := time.FixedZone("CET", 3600)
	return []example{
		{what: "int64 0", in: int64(0), hex: "d9be0000"},
		{what: "int64 -1", in: int64(-1), hex: "d9be0020"},
		{what: "int64 largest", in: int64(math.MaxInt64), hex: "d9be001b7fffffffffffffff"},
		{what: "int64 smallest", in: int64(math.MinInt64), hex: "d9be003b7fffffffffffffff"},
		{what: "uint64 0", in: uint64(0), hex: "d9be0100"},
		{what: "uint64 largest", in: uint64(math.MaxUint64), hex: "d9be011bffffffffffffffff"},

		{what: "time.Time, zero", in: time.Time{}, hex: "d9be02833b0000000e7791f6ff0000"},
		{what: "time.Time 1970-01-01T00:00:00Z", in: time.Unix(0, 0).UTC(), hex: "d9be0283000000"},
		{what: "time.Time 2013-03-21T21:04:00.5+01:00", in: time.Date(2013, 3, 21, 21, 4, 0, 5e8, east), hex: "d9be02831a514b67b01a1dcd6500190e10"},
		{what: "time.Time 1969-12-31T23:59:59.999999999-03:30", in: time.Unix(-1, 999999999).In(time.FixedZone("", -12600)), hex: "d9be0283201a3b9ac9ff393137"},
		{what: "time.Time, last second of 9999", in: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), hex: "d9be02831b0000003afff4417f0000"},
		{what: "time.Duration 1s", in: time.Second, hex: "d9be031a3b9aca00"},
		{what: "time.Duration -1ns", in: time.Duration(-1), hex: "d9be0320"},

		{what: "[]string, empty", in: []string{}, hex: "d9be0580"},
		{what: "[]string, nil", in: []string(nil), hex: "d9be0580", out: []string{}},
		{what: "[]string a, not UTF-8", in: []string{"a", "\xff"}, hex: "d9be05826161d9be0441ff"},
		{what: "[]int, empty", in: []int{}, hex: "d9be0680"},
		{what: "[]int, nil", in: []int(nil), hex: "d9be0680", out: []int{}},
		{what: "[]int 1 -2 300", in: []int{1, -2, 300}, hex: "d9be0683012119012c"},
		{what: "map[string]string, empty", in: map[string]string{}, hex: "d9be07a0"},
		{what: "map[string]string, nil", in: map[string]string(nil), hex: "d9be07a0", out: map[string]string{}},
		{what: "map[string]string a b", in: map[string]string{"a": "b"}, hex: "d9be07a161616162"},
	}
}

func TestValuesComeBackAsTheyWentIn(t *testing.T) {
	for _, e := range examples() {
		t.Run(e.what, func(t *testing.T) {
			data, err := AppendValue([]byte("before"), e.in)
			require.NoError(t, err)
			require.Equal(t, e.hex, hex.EncodeToString(data[len("before"):]))
			data = data[len("before"):]

			require.NoError(t, CheckValue(data))
			got, err := DecodeValue(data)
			require.NoError(t, err)
			want := e.in
			if e.out != nil {
				want = e.out
			}
			requireSame(t, want, got)

			n, err := skipValue(append(data[:len(data):len(data)], 0xff, 0xff))
			require.NoError(t, err)
			require.Equal(t, len(data), n, "skipValue stops where the value ends")
			for i := range data {
				_, err := DecodeValue(data[:i])
				require.ErrorIs(t, err, ErrBadValue, "cut off after %d bytes", i)
			}
		})
	}
}

// requireSame compares as a user of a session would: times by Equal and by
// what they show, floats by their bits.
func requireSame(t *testing.T, want, got any) {
	t.Helper()
	switch want := want.(type) {
	case time.Time:
		got, ok := got.(time.Time)
		require.True(t, ok)
		require.True(t, want.Equal(got), "%v and %v", want, got)
		require.Equal(t, want.Format(time.RFC3339Nano), got.Format(time.RFC3339Nano))
		_, offset := want.Zone()
		_, gotOffset := got.Zone()
		require.Equal(t, offset, gotOffset)
	case float64:
		got, ok := got.(float64)
		require.True(t, ok)
		require.Equal(t, math.Float64bits(want), math.Float64bits(got))
	default:
		require.Equal(t, want, got)
	}
}

func TestEveryNaNIsOneNaN(t *testing.T) {
	for _, bits := range []uint64{0x7ff8000000000001, 0x7ff0000000000001, 0xfff8000000000000, 0xffffffffffffffff} {
		data, err := AppendValue(nil, math.Float64frombits(bits))
		require.NoError(t, err)
		require.Equal(t, "f97e00", hex.EncodeToString(data))
		got, err := DecodeValue(data)
		require.NoError(t, err)
		require.True(t, math.IsNaN(got.(float64)))
	}
}

func TestEveryHalfFloatKeepsItsBits(t *testing.T) {
	for half := range 1 << 16 {
		data := []byte{float16, byte(half >> 8), byte(half)}
		got, err := DecodeValue(data)
		if isNaN := half&0x7fff > 0x7c00; isNaN && half != halfNaN {
			require.ErrorIs(t, err, ErrBadValue)
			continue
		}
		require.NoError(t, err)
		again, err := AppendValue(nil, got)
		require.NoError(t, err)
		require.Equal(t, data, again)
	}
}

func TestMapsOfEverySizeAreOrdered(t *testing.T) {
	for _, n := range []int{1, 2, sortedOnStack, sortedOnStack + 1, 300} {
		ints, texts := map[string]any{}, map[string]string{}
		for i := range n {
			key := strings.Repeat("k", i%7) + string(rune('a'+i%26)) + strings.Repeat("\xfe", i%3) + hex.EncodeToString([]byte{byte(i), byte(i >> 8)})
			ints[key], texts[key] = i, key
		}
		for _, v := range []any{ints, texts} {
			data, err := AppendValue(nil, v)
			require.NoError(t, err)
			got, err := DecodeValue(data) // refuses disorder
			require.NoError(t, err)
			require.Equal(t, v, got)
		}
	}
	long := strings.Repeat("l", rankLength+1)
	data, err := AppendValue(nil, map[string]any{long + "a": 1, long: 2, long + "b": 3, long[1:]: 4})
	require.NoError(t, err)
	require.NoError(t, CheckValue(data), "keys longer than a rank can tell")
}

func TestDecodedValuesShareNothingWithTheData(t *testing.T) {
	v := []any{"text", []byte("bytes"), map[string]any{"key": "\xffvalue"}, []string{"element"}, map[string]string{"a": "b"}}
	data, err := AppendValue(nil, v)
	require.NoError(t, err)
	got, err := DecodeValue(data)
	require.NoError(t, err)
	clear(data)
	require.Equal(t, v, got)

	data, err = AppendValue(nil, "alone")
	require.NoError(t, err)
	alone, err := DecodeValue(data)
	require.NoError(t, err)
	clear(data)
	require.Equal(t, "alone", alone)
}

func TestValuesLargerThanOneSharedText(t *testing.T) {
	v := []any{strings.Repeat("x", maxSharedText), "y", map[string]any{"z": []string{"\xff", ""}}}
	data, err := AppendValue(nil, v)
	require.NoError(t, err)
	require.Greater(t, len(data), maxSharedText)
	got, err := DecodeValue(data)
	require.NoError(t, err)
	clear(data)
	require.Equal(t, v, got)
}
