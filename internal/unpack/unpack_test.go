package unpack

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestReaderTakesApart: what is there comes in order, and lies in Rest.
func TestReaderTakesApart(t *testing.T) {
	le := binary.LittleEndian
	b := le.AppendUint64(le.AppendUint32(le.AppendUint16([]byte{1}, 0x203), 0x4050607), 0x8090a0b0c0d0e0f)
	b = append(le.AppendUint16(b, 2), "ab"...)
	b = append(le.AppendUint32(b, 3), "cde"...)
	r := Reader{Rest: append(b, "rest"...)}
	require.Equal(t, byte(1), r.Byte())
	require.Equal(t, uint16(0x203), r.Uint16())
	require.Equal(t, uint32(0x4050607), r.Uint32())
	require.Equal(t, uint64(0x8090a0b0c0d0e0f), r.Uint64())
	short := r.Short()
	require.Equal(t, "ab", string(short))
	require.Equal(t, 2, cap(short), "an append to it must not reach what stands behind")
	require.Equal(t, "cde", string(r.Long()))
	require.Equal(t, "rest", string(r.Rest))
	require.False(t, r.Bad)
}

// TestWhatIsMissingMakesItBad: also a length that lies, and for good.
func TestWhatIsMissingMakesItBad(t *testing.T) {
	for what, c := range map[string]struct {
		bytes string
		read  func(*Reader) any
		zero  any
	}{
		"byte":            {"", func(r *Reader) any { return r.Byte() }, byte(0)},
		"uint16":          {"a", func(r *Reader) any { return r.Uint16() }, uint16(0)},
		"uint32":          {"abc", func(r *Reader) any { return r.Uint32() }, uint32(0)},
		"uint64":          {"abcdefg", func(r *Reader) any { return r.Uint64() }, uint64(0)},
		"length of short": {"\x01", func(r *Reader) any { return len(r.Short()) }, 0},
		"short":           {"\x02\x00a", func(r *Reader) any { return len(r.Short()) }, 0},
		"length of long":  {"\x01\x00\x00", func(r *Reader) any { return len(r.Long()) }, 0},
		"long":            {"\xff\xff\xff\xffa", func(r *Reader) any { return len(r.Long()) }, 0},
		"less than none":  {"abc", func(r *Reader) any { return len(r.Take(-1)) }, 0},
	} {
		r := Reader{Rest: []byte(c.bytes)}
		require.Equal(t, c.zero, c.read(&r), what)
		require.True(t, r.Bad, what)
		require.Nil(t, r.Take(0), what)
		require.Zero(t, r.Byte(), what)
	}
}
