package core

import (
	"encoding/hex"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// malformedValues are in hex, by what is wrong with them.
var malformedValues = map[string]string{
	"nothing":                                "",
	"trailing byte":                          "0100",
	"int in a longer head, 8 bits":           "1817",
	"int in a longer head, 16 bits":          "1900ff",
	"int in a longer head, 32 bits":          "1a0000ffff",
	"int in a longer head, 64 bits":          "1b00000000ffffffff",
	"length in a longer head":                "580100",
	"tag in a longer head":                   "da0000be0001",
	"reserved head 28":                       "1c",
	"reserved head 30":                       "1e",
	"indefinite bytes":                       "5f4101ff",
	"indefinite text":                        "7f6161ff",
	"indefinite array":                       "9fff",
	"indefinite map":                         "bfff",
	"break":                                  "ff",
	"undefined":                              "f7",
	"simple 0":                               "e0",
	"simple 16":                              "f0",
	"simple 24":                              "f818",
	"simple 20 in a longer head":             "f814",
	"untagged int over int64":                "1b8000000000000000",
	"untagged int under int64":               "3b8000000000000000",
	"float32 that fits 16 bits":              "fa3fc00000",
	"float32 zero":                           "fa00000000",
	"float32 NaN":                            "fa7fc00000",
	"float64 that fits 32 bits":              "fb40f86a0000000000",
	"float64 that fits 16 bits":              "fb3ff8000000000000",
	"float64 infinity":                       "fb7ff0000000000000",
	"float64 NaN":                            "fb7ff8000000000000",
	"another NaN":                            "f97e01",
	"text that is not UTF-8":                 "61ff",
	"length beyond the end":                  "4201",
	"length of 2^64-1":                       "5bffffffffffffffff",
	"text of 2^63":                           "7b8000000000000000",
	"array of 2^64-1":                        "9bffffffffffffffff",
	"array of 2^32":                          "9b0000000100000000",
	"map of 2^63":                            "bb8000000000000000",
	"array that is short":                    "8201",
	"map without its last value":             "a16161",
	"duplicate key":                          "a2616101616102",
	"keys in disorder":                       "a2616201616102",
	"longer key first":                       "a262616101616102",
	"int as key":                             "a10101",
	"bytes as key":                           "a1416101",
	"list as key":                            "a18001",
	"tagged key that is UTF-8":               "a1d9be04416101",
	"standard time tag":                      "c11a514b67b0",
	"bignum":                                 "c249010000000000000000",
	"self-described":                         "d9d9f700",
	"tag behind the last":                    "d9be0800",
	"tag without content":                    "d9be00",
	"int64 over int64":                       "d9be001b8000000000000000",
	"int64 of text":                          "d9be006161",
	"int64 of a tag":                         "d9be00d9be0001",
	"uint64 below zero":                      "d9be0120",
	"duration of a float":                    "d9be03f93c00",
	"tagged string that is UTF-8":            "d9be044161",
	"tagged string, empty":                   "d9be0440",
	"tagged string of text":                  "d9be046161",
	"[]string of ints":                       "d9be058101",
	"[]string of bytes":                      "d9be054161",
	"[]string with a lie":                    "d9be059bffffffffffffffff",
	"[]int of text":                          "d9be06816161",
	"[]int of int64":                         "d9be0681d9be0001",
	"[]int of 2^63":                          "d9be06811b8000000000000000",
	"[]int of a map":                         "d9be06a0",
	"map[string]string of ints":              "d9be07a1616101",
	"map[string]string in disorder":          "d9be07a26162606161" + "60",
	"map[string]string of a list":            "d9be0780",
	"time of two numbers":                    "d9be02820000",
	"time of four numbers":                   "d9be028400000000",
	"time of a map":                          "d9be02a3000000",
	"time of floats":                         "d9be0283f900000000",
	"time with seconds in a longer head":     "d9be028318000000",
	"time with unsigned seconds of 2^63":     "d9be02831b80000000000000000000",
	"a value inside that is not well-formed": "82018118",
}

func TestMalformedValuesAreRefused(t *testing.T) {
	for what, text := range malformedValues {
		requireRefused(t, ErrBadValue, what, text)
	}
}

func TestTimesOutOfRangeAreRefused(t *testing.T) {
	for what, text := range map[string]string{
		"second before year 1":     "d9be02833b0000000e7791f7000000",
		"first second of 10000":    "d9be02831b0000003afff441800000",
		"largest second":           "d9be02831b7fffffffffffffff0000",
		"10^9 nanoseconds":         "d9be0283001a3b9aca0000",
		"nanoseconds below zero":   "d9be0283002000",
		"zone a day east":          "d9be028300001a00015180",
		"zone a day west":          "d9be028300003a0001517f",
		"zone beyond 32 bits":      "d9be028300001b0000000100000000",
		"a time in a list, and so": "8201d9be0283001a3b9aca0000",
	} {
		requireRefused(t, ErrTime, what, text)
	}
	for _, v := range []time.Time{
		time.Date(0, 12, 31, 23, 59, 59, 999999999, time.UTC),
		time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Unix(math.MaxInt64, 0),
		time.Unix(math.MinInt64, 0),
		time.Unix(0, 0).In(time.FixedZone("", 86400)),
		time.Unix(0, 0).In(time.FixedZone("", -86400)),
	} {
		requireNotEncoded(t, ErrTime, v)
	}
}

func requireRefused(t *testing.T, want error, what, text string) {
	t.Helper()
	data, err := hex.DecodeString(text)
	require.NoError(t, err, what)
	v, err := DecodeValue(data)
	require.ErrorIs(t, err, want, what)
	require.Nil(t, v, what)
	require.ErrorIs(t, CheckValue(data), want, what)
}

func requireNotEncoded(t *testing.T, want error, v any) {
	t.Helper()
	before := []byte("before")
	got, err := AppendValue(before, v)
	require.ErrorIs(t, err, want)
	require.Equal(t, before, got, "dst comes back as it was")
}

func TestOtherTypesAreRefused(t *testing.T) {
	type name string
	text := "x"
	for _, v := range []any{
		int8(1), int16(1), int32(1), uint(1), uint8(1), uint16(1), uint32(1), uintptr(1), float32(1), complex(1, 1),
		name("x"), &text, struct{}{}, []int64{1}, []float64{1}, []bool{true}, [1]int{}, map[string]int{}, map[int]any{},
		func() {}, make(chan int), time.UTC, time.Monday, []any{1, []any{float32(1)}}, map[string]any{"a": int8(1)},
	} {
		requireNotEncoded(t, ErrType, v)
	}
}

// nested returns n lists, each the only element of the next.
func nested(n int) any {
	v := []any{}
	for range n - 1 {
		v = []any{v}
	}
	return v
}

func TestNestingHasALimit(t *testing.T) {
	data, err := AppendValue(nil, nested(MaxNesting))
	require.NoError(t, err)
	got, err := DecodeValue(data)
	require.NoError(t, err)
	require.Equal(t, nested(MaxNesting), got)

	requireNotEncoded(t, ErrNesting, nested(MaxNesting+1))
	requireRefused(t, ErrNesting, "one list too many", strings.Repeat("81", MaxNesting)+"80")
	requireRefused(t, ErrNesting, "one map too many", strings.Repeat("81", MaxNesting)+"a0")
	requireRefused(t, ErrNesting, "a tagged list too many", strings.Repeat("81", MaxNesting)+"d9be0580")
	requireRefused(t, ErrNesting, "a tagged map too many", strings.Repeat("a16161", MaxNesting)+"d9be07a0")
	require.NoError(t, CheckValue(append([]byte(strings.Repeat("\x81", MaxNesting)), 0x00)), "what holds nothing is no level")
	requireRefused(t, ErrNesting, "a megabyte of lists", strings.Repeat("81", 1<<20))
	require.Contains(t, ErrNesting.Error(), strconv.Itoa(MaxNesting))

	list := []any{nil}
	list[0] = list
	requireNotEncoded(t, ErrNesting, list)
	dict := map[string]any{}
	dict["me"] = []any{dict}
	requireNotEncoded(t, ErrNesting, dict)
}

func TestSizeHasALimit(t *testing.T) {
	const head = 5
	largest := strings.Repeat("x", MaxSessionSize-head)
	data, err := AppendValue(make([]byte, 7), largest)
	require.NoError(t, err)
	data = data[7:]
	require.Len(t, data, MaxSessionSize)
	_, err = DecodeValue(data)
	require.NoError(t, err)

	requireNotEncoded(t, ErrValueSize, largest+"x")
	requireNotEncoded(t, ErrValueSize, []byte(largest+"x"))
	requireNotEncoded(t, ErrValueSize, []any{largest})
	requireNotEncoded(t, ErrValueSize, map[string]string{largest: ""})
	requireNotEncoded(t, ErrValueSize, make([]int, MaxSessionSize))
	requireNotEncoded(t, ErrValueSize, make([]any, MaxSessionSize+1))
	tooLong := append([]byte{0x5a, 0, 0x10, 0, 0}, make([]byte, MaxSessionSize)...)
	require.ErrorIs(t, CheckValue(tooLong), ErrValueSize)
	_, err = DecodeValue(tooLong)
	require.ErrorIs(t, err, ErrValueSize)

	shared := []any{}
	for range MaxNesting - 1 { // 100^15 lists, were they all written
		level := make([]any, 100)
		for i := range level {
			level[i] = shared
		}
		shared = level
	}
	requireNotEncoded(t, ErrValueSize, shared)
}

// On a platform where int has 32 bits a record still opens; only asking for
// the value is refused.
func TestIntOf64Bits(t *testing.T) {
	for _, text := range []string{"1b7fffffffffffffff", "3b7fffffffffffffff", "d9be06811b7fffffffffffffff", "a161611a80000000"} {
		data, err := hex.DecodeString(text)
		require.NoError(t, err)
		require.NoError(t, CheckValue(data))
		v, err := DecodeValue(data)
		if strconv.IntSize == 32 {
			require.ErrorIs(t, err, ErrIntSize)
			continue
		}
		require.NoError(t, err)
		again, err := AppendValue(nil, v)
		require.NoError(t, err)
		require.Equal(t, data, again)
	}
}
