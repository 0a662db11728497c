package core

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// written returns values as a request writes them, and the same as read from a record.
func written(t testing.TB, names []string) (list, read values) {
	for i, name := range names {
		value, err := AppendValue(nil, strings.Repeat("v", i))
		require.NoError(t, err)
		list.set(name, value)
	}
	var p payload
	r := reader{data: appendPayload(nil, &payload{data: list})}
	require.NoError(t, readPayload(r.data, &p))
	return list, p.data
}

// Values that lie in the record are the same as in a list, whatever their names.
func TestValuesAsTheyLieInTheRecord(t *testing.T) {
	for _, names := range [][]string{
		nil,
		{"a"},
		{"one", "two", "three", "zoë", "x"},
		{strings.Repeat("n", 23), strings.Repeat("n", 24), strings.Repeat("n", MaxNameLength), "b", "a", "aa"},
	} {
		list, read := written(t, names)
		require.Nil(t, read.list)
		require.Equal(t, len(names), read.len())
		require.Equal(t, sizeOf(&list), list.size)
		require.Equal(t, list.size, read.size)
		require.True(t, sameValues(&list, &read) && sameValues(&read, &list))
		require.Equal(t, appendPayload(nil, &payload{data: list}), appendPayload(nil, &payload{data: read}))
		for i, name := range names {
			at, ok := read.find(name)
			require.True(t, ok)
			require.Equal(t, name, string(read.item(at).name))
			value, ok := read.value(name)
			require.True(t, ok)
			s, err := DecodeValue(value)
			require.NoError(t, err)
			require.Equal(t, strings.Repeat("v", i), s)
			require.Equal(t, len(value), cap(value), "who appends to a value does not write over the next")
		}
		for _, missing := range []string{"", "0", "aaa", "zzzz", strings.Repeat("n", 25)} {
			at, ok := read.find(missing)
			in, _ := list.find(missing)
			require.False(t, ok)
			require.Equal(t, in, at)
		}

		changed := read.copied()
		changed.set("new", []byte{0})
		require.False(t, sameValues(&read, &changed))
		at, _ := changed.find("new")
		changed.remove(at)
		require.True(t, sameValues(&read, &changed), "%q", names)
	}
}

// A change of a value whose size stays is a change.
func TestValuesOfTheSameSizeDiffer(t *testing.T) {
	_, read := written(t, []string{"a", "b"})
	changed := read.copied()
	changed.set("b", []byte{majorText | 1, 'w'})
	require.Equal(t, read.size, changed.size)
	require.False(t, sameValues(&read, &changed))
	changed = read.copied()
	changed.list[0].name = []byte("0")
	require.False(t, sameValues(&read, &changed))
}

// Values in a record cost one allocation, however many there are.
func TestReadingARecordAllocatesOnce(t *testing.T) {
	for _, n := range []int{1, 100, 1000} {
		var list values
		for i := range n {
			list.set(fmt.Sprint("value ", i), []byte{majorMap})
		}
		plain := appendPayload(nil, &payload{data: list})
		require.EqualValues(t, 1, testing.AllocsPerRun(20, func() {
			var p payload
			if readPayload(plain, &p) != nil || p.data.len() != n {
				t.Error("not read")
			}
		}))
	}
}

func TestIsASCII(t *testing.T) {
	for n := range 70 {
		text := slices.Repeat([]byte{'~'}, n)
		require.True(t, isASCII(text) && isASCII(string(text)))
		for i := range text {
			text[i] = 0x80
			require.False(t, isASCII(text), "%d of %d", i, n)
			require.False(t, utf8.Valid(text))
			text[i] = '~'
		}
	}
}
