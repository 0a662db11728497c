//go:build darwin || freebsd || linux

package seglog

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"strings"
	"testing"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/stretchr/testify/require"
)

const (
	testSalt   = 0x0102030405060708
	testOffset = 8192
)

func formatSample() core.Record {
	return core.Record{
		ID:      core.ID{0x3f, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
		Version: 0x0102030405060708, Tenant: "acme", User: "ada",
		CreatedAt: 1000, SeenAt: 2000, ExpiresAt: 3000, Sealed: []byte("sealed"),
	}
}

// The bytes that format 1 has written must stay readable for ever.
func TestFormatOne(t *testing.T) {
	const record = "10d1db01" + "86471cfb" + "01040300" + "00000006" + "3f0102030405060708090a0b0c0d0e0f" + "0102030405060708" +
		"00000000000003e8" + "00000000000007d0" + "0000000000000bb8" + "00000208" + "00000000" + "61636d65" + "616461" + "7365616c6564" + "000000"
	const segment = "7277736c6f670001" + "2f8046df" + "00000007" + "00000003" + "00000000" + "0102030405060708" + "0000000000002000" +
		"0000000000001fff" + "0000000000000000" + "0000000000000000"
	r := formatSample()
	require.Equal(t, record, hex.EncodeToString(appendRecord(nil, kindPut, &r, testSalt, testOffset, firstByte)))
	h := header{number: 7, base: 3, salt: testSalt, before: testOffset, roll: testOffset - 1}
	require.Equal(t, segment, hex.EncodeToString(h.encode()))
	got, err := decodeHeader(h.encode())
	require.NoError(t, err)
	require.Equal(t, h, got)
	var l roll
	l.add(kindPut, testOffset, &r)
	l.add(kindSweep, testOffset+8, &r)
	require.Equal(t, "20000400"+"3f0102030405060708090a0b0c0d0e0f"+"60000401"+"0000000000000bb8"+"0000000000000000", hex.EncodeToString(l))
	require.Equal(t, rollEntry{kind: kindPut, offset: testOffset, id: r.ID, number: 0x3f01020304050607}, l.entry(0))
}

func readRecord(b []byte, offset int64) (core.Record, bool) {
	h, ok := parseHead(b, testSalt, offset)
	if !ok || int64(len(b)) < h.length || !h.sealed(b) {
		return core.Record{}, false
	}
	h.record.Sealed = b[h.start:h.length]
	return h.record, true
}

func TestEveryDamageIsFound(t *testing.T) {
	r := formatSample()
	good := appendRecord(nil, kindPut, &r, testSalt, testOffset, firstByte)
	got, ok := readRecord(good, testOffset)
	require.True(t, ok)
	require.Equal(t, r, got)
	for at := range recordLength(&r) {
		for bit := range 8 {
			b := bytes.Clone(good)
			b[at] ^= 1 << bit
			_, ok := readRecord(b, testOffset)
			require.False(t, ok, "bit %d of byte %d", bit, at)
		}
		_, ok := readRecord(good[:at], testOffset)
		require.False(t, ok, "cut at %d", at)
	}
	_, ok = readRecord(good, testOffset+alignment)
	require.False(t, ok, "at another place")
	_, ok = parseHead(good, testSalt+1, testOffset)
	require.False(t, ok, "in another segment")

	h := header{number: 7, base: 3, salt: testSalt, before: testOffset, roll: testOffset - 1}
	for at := range headerSize {
		b := h.encode()
		b[at]++
		_, err := decodeHeader(b)
		require.Error(t, err, "byte %d", at)
		if at != 6 && at != 7 { // of the format version: may be a newer one
			require.ErrorIs(t, err, core.ErrCorrupt)
		}
		_, err = decodeHeader(b[:at])
		require.ErrorIs(t, err, core.ErrCorrupt)
	}
	h.ends = true
	b := h.encode()
	same, err := decodeHeader(b)
	require.NoError(t, err)
	require.Equal(t, h, same)
	b[7]++
	_, err = decodeHeader(b)
	require.ErrorIs(t, err, hosts.ErrUnavailable)
}

func TestLargestRecord(t *testing.T) {
	s := open(t, Options{Dir: t.TempDir(), Segment: smallSegment})
	r := formatSample()
	r.Tenant, r.User = strings.Repeat("t", core.MaxName), strings.Repeat("u", core.MaxName)
	r.Sealed = bytes.Repeat([]byte{7}, core.MaxSealed)
	require.EqualValues(t, maxRecord, recordLength(&r))
	require.NoError(t, s.Save(t.Context(), r, core.NoVersion))
	got, err := s.Load(t.Context(), r.ID)
	require.NoError(t, err)
	require.Equal(t, r.User, got.User)
	require.True(t, bytes.Equal(r.Sealed, got.Sealed))
}

// resum gives records that stand in b one behind the other right checksums, as a
// forger would.
func resum(b []byte, salt uint64) []byte {
	b = bytes.Clone(b)
	for at := 0; at+headSize <= len(b); {
		start := at + headSize + int(b[at+9]) + int(b[at+10])
		end := start + int(binary.BigEndian.Uint32(b[at+12:]))
		if start > len(b) || end > len(b) || end < start {
			break
		}
		binary.BigEndian.PutUint32(b[at+4:], crc32.Checksum(b[start:end], castagnoli))
		binary.BigEndian.PutUint32(b[at:], headSum(b[at:start], salt, int64(firstByte+at)))
		at += int(padded(int64(end - at)))
	}
	return b
}
