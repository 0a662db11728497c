package slots

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/stretchr/testify/require"
)

func sample() core.Record {
	return core.Record{
		ID:      core.ID{0x3f, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
		Version: 0x0102030405060708, Tenant: "acme", User: "ada",
		CreatedAt: 1000, SeenAt: 2000, ExpiresAt: 3000, Sealed: []byte("sealed"),
	}
}

// The bytes that version 2 has written must stay readable for ever.
func TestFormatTwo(t *testing.T) {
	const image = "727773657373" + "0002" + "aab36d8778d7918c" + "0000000000000008" + "d0642e67aece37cd" + "0000000000000009" +
		"00000006" + "04" + "03" + "0001" + "3f0102030405060708090a0b0c0d0e0f" + "0102030405060708" +
		"00000000000003e8" + "00000000000007d0" + "0000000000000bb8" + "61636d65" + "616461" + "7365616c6564"
	r := sample()
	require.Equal(t, image, hex.EncodeToString(encode(&r, 9, 8, 1)))
	b, err := hex.DecodeString(image)
	require.NoError(t, err)
	var s slot
	s.parse(b, r.ID, 1, true)
	require.NoError(t, s.err)
	require.EqualValues(t, 9, s.sequence)
	require.EqualValues(t, 8, s.settled)
	p := pair{slots: [2]slot{s}}
	got, _ := p.choose(0, nil)
	require.Equal(t, r, got)
}

// Everything but the note about the other slot is covered: a wrong note costs a
// sync, or is right.
func TestEveryDamageIsFound(t *testing.T) {
	r := sample()
	good := encode(&r, 9, 8, 1)
	var s slot
	for at := range good {
		for bit := range 8 {
			b := bytes.Clone(good)
			b[at] ^= 1 << bit
			s.parse(b, r.ID, 1, true)
			if at >= settledAt && at < settledAt+8 {
				require.NoError(t, s.err)
				continue
			}
			require.Error(t, s.err, "bit %d of byte %d", bit, at)
			if at != 6 && at != 7 { // of the format version: may be a newer one
				require.ErrorIs(t, s.err, core.ErrCorrupt)
			}
		}
		s.parse(good[:at], r.ID, 1, true)
		require.ErrorIs(t, s.err, core.ErrCorrupt, "cut at %d", at)
	}
	s.parse(append(bytes.Clone(good), 0), r.ID, 1, true) // what the slot held before
	require.NoError(t, s.err)
}

// Damage of Sealed is no reason to distrust the header.
func TestHeaderHasItsOwnChecksum(t *testing.T) {
	r := sample()
	b := encode(&r, 9, 8, 1)
	b[len(b)-1]++
	var s slot
	s.parse(b, r.ID, 1, false)
	require.NoError(t, s.err)
	require.Equal(t, r.ExpiresAt, s.record.ExpiresAt)
	s.parse(b, r.ID, 1, true)
	require.ErrorIs(t, s.err, core.ErrCorrupt)
}

func TestOtherFormatsAreNotDamage(t *testing.T) {
	r := sample()
	b := make([]byte, 2*pageSize)
	copy(b, encode(&r, 9, 8, 1))
	for version, says := range map[uint16]string{3: "has format 3, this program reads 2", 1: "has format 1, only written before the first release; delete it"} {
		binary.BigEndian.PutUint16(b[6:], version)
		for _, whole := range []bool{true, false} {
			p := readBytes(t, b, r.ID, whole)
			_, err := p.newest()
			require.ErrorIs(t, err, hosts.ErrUnavailable)
			require.NotErrorIs(t, err, core.ErrCorrupt)
			require.ErrorContains(t, err, says)
		}
	}
	binary.BigEndian.PutUint16(b[6:], 0)
	_, err := readBytes(t, b, r.ID, true).newest()
	require.ErrorIs(t, err, core.ErrCorrupt)
}

func TestSlotsHaveRoomToGrow(t *testing.T) {
	r := sample()
	for sealed, pages := range map[int]int{0: 1, 3000: 1, 3300: 2, 4096: 2, 200_000: 62} {
		r.Sealed = make([]byte, sealed)
		require.Equal(t, pages, pagesFor(&r), sealed)
	}
	r.Tenant, r.User = strings.Repeat("t", core.MaxName), strings.Repeat("u", core.MaxName)
	r.Sealed = bytes.Repeat([]byte{7}, core.MaxSealed)
	require.Equal(t, maxPages, pagesFor(&r))
	b := fileBytes(&r, &r)
	p := readBytes(t, b, r.ID, true)
	at, err := p.newest()
	require.NoError(t, err)
	got, _ := p.choose(at, nil)
	require.Equal(t, r, got)
}

func TestFieldsKeepTheirBounds(t *testing.T) {
	r := sample()
	for name, forge := range map[string]func(b []byte){
		"no sequence":       func(b []byte) { binary.BigEndian.PutUint64(b[32:], 0) },
		"the last sequence": func(b []byte) { binary.BigEndian.PutUint64(b[32:], 1<<63+1) },
		"sealed too long":   func(b []byte) { binary.BigEndian.PutUint32(b[40:], core.MaxSealed+1) },
		"over the slot":     func(b []byte) { binary.BigEndian.PutUint32(b[40:], pageSize) },
		"no pages":          func(b []byte) { binary.BigEndian.PutUint16(b[46:], 0) },
		"many pages":        func(b []byte) { binary.BigEndian.PutUint16(b[46:], maxPages+1) },
		"no version":        func(b []byte) { clear(b[64:72]) },
		"no ID":             func(b []byte) { clear(b[48:64]) },
		"no UTF-8":          func(b []byte) { b[headerSize] = 0xff },
	} {
		b := encode(&r, 9, 8, 1)
		forge(b)
		seal(b)
		_, err := decodeHeader(b)
		require.ErrorIs(t, err, core.ErrCorrupt, name)
		require.NotContains(t, err.Error(), "checksum", name)
	}
}

// seal puts right checksums into a slot, as a forger would.
func seal(b []byte) {
	if len(b) < headerSize {
		return
	}
	start := min(headerSize+int(b[44])+int(b[45]), len(b))
	end := min(start+int(binary.BigEndian.Uint32(b[40:])), len(b))
	binary.BigEndian.PutUint64(b[24:], sum(b[start:end]))
	binary.BigEndian.PutUint64(b[8:], headerSum(b[:start]))
}

func TestFileNames(t *testing.T) {
	id := sample().ID
	name := fileName(id)
	got, ok := idOf(name, 0x3f)
	require.True(t, ok)
	require.Equal(t, id, got)
	_, ok = idOf(name, 0x3e)
	require.False(t, ok)
	for _, bad := range []string{"", newName, strings.ToUpper(name), name[1:], name + "0", "g" + name[1:], "../" + name[3:]} {
		_, ok := idOf(bad, 0x3f)
		require.False(t, ok, bad)
	}
}
