package slots

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/cespare/xxhash/v2"
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

// The bytes that version 1 has written must stay readable for ever.
func TestFormatOne(t *testing.T) {
	const file = "727773657373" + "0001" + "5a1daaee58fae707" + "d0642e67aece37cd" + "00000006" + "04" + "03" + "0000" +
		"3f0102030405060708090a0b0c0d0e0f" + "0102030405060708" +
		"00000000000003e8" + "00000000000007d0" + "0000000000000bb8" + "61636d65" + "616461" + "7365616c6564"
	r := sample()
	require.Equal(t, file, hex.EncodeToString(encode(&r)))
	b, err := hex.DecodeString(file)
	require.NoError(t, err)
	got, err := decode(b)
	require.NoError(t, err)
	require.Equal(t, r, got)
}

func TestEveryDamageIsFound(t *testing.T) {
	r := sample()
	good := encode(&r)
	for at := range good {
		for bit := range 8 {
			b := bytes.Clone(good)
			b[at] ^= 1 << bit
			_, err := decode(b)
			require.Error(t, err, "bit %d of byte %d", bit, at)
			if at != 6 && at != 7 { // of the format version: may be a newer one
				require.ErrorIs(t, err, core.ErrCorrupt)
			}
		}
		_, err := decode(good[:at])
		require.ErrorIs(t, err, core.ErrCorrupt, "cut at %d", at)
	}
	_, err := decode(append(bytes.Clone(good), 0))
	require.ErrorIs(t, err, core.ErrCorrupt)
	require.ErrorContains(t, err, "94 bytes instead of 93")
}

// Damage of Sealed is no reason to distrust the header, and the other way round.
func TestHeaderHasItsOwnChecksum(t *testing.T) {
	r := sample()
	b := encode(&r)
	b[len(b)-1]++
	h, err := decodeHeader(b)
	require.NoError(t, err)
	require.Equal(t, r.ExpiresAt, h.record.ExpiresAt)
	_, err = h.complete(b)
	require.ErrorIs(t, err, core.ErrCorrupt)
}

func TestNewerFormatIsNotDamage(t *testing.T) {
	r := sample()
	b := encode(&r)
	binary.BigEndian.PutUint16(b[6:], 2)
	_, err := decode(b[:headerSize]) // whatever follows
	require.ErrorIs(t, err, hosts.ErrUnavailable)
	require.NotErrorIs(t, err, core.ErrCorrupt)
	require.ErrorContains(t, err, "has format 2, this program reads up to 1")
}

func TestLargestRecord(t *testing.T) {
	r := sample()
	r.Tenant, r.User = strings.Repeat("t", core.MaxName), strings.Repeat("u", core.MaxName)
	r.Sealed = bytes.Repeat([]byte{7}, core.MaxSealed)
	b := encode(&r)
	require.Len(t, b, maxFile)
	got, err := decode(b)
	require.NoError(t, err)
	require.Equal(t, r, got)
}

// A reader may meet a file of another size than it was told: a save was faster.
func TestReadRecordWhateverTheSize(t *testing.T) {
	for _, sealed := range []int{0, 1, maxHeader - headerSize - 7, maxHeader, 10_000} {
		r := sample()
		r.Sealed = make([]byte, sealed)
		b := encode(&r)
		for _, size := range []int{0, headerSize, len(b) - 1, len(b), len(b) + 1, 1 << 30} {
			for _, want := range []func(*core.Record) bool{nil, func(*core.Record) bool { return true }} {
				got, wanted, err := readRecord(bytes.NewReader(b), int64(size), want)
				require.NoError(t, err, "%d sealed bytes, told %d", sealed, size)
				require.True(t, wanted)
				require.Equal(t, r, got)
			}
		}
	}
}

func TestIsFileName(t *testing.T) {
	name := fileName(sample().ID)
	require.True(t, isFileName(name, 0x3f))
	require.False(t, isFileName(name, 0x3e))
	for _, bad := range []string{"", newName, strings.ToUpper(name), name[1:], name + "0", "g" + name[1:], "../" + name[3:]} {
		require.False(t, isFileName(bad, 0x3f), bad)
	}
}

// FuzzDecode: no bytes make it panic, and what it takes is what encode writes.
// Each input is tried again with right checksums, as a forger would write it.
func FuzzDecode(f *testing.F) {
	r := sample()
	good := encode(&r)
	f.Add(good)
	f.Add(good[:headerSize])
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, b []byte) {
		requireCanonical(t, b)
		if len(b) < headerSize {
			return
		}
		b = bytes.Clone(b)
		start := min(headerSize+int(b[28])+int(b[29]), len(b))
		binary.BigEndian.PutUint64(b[16:], xxhash.Sum64(b[start:]))
		binary.BigEndian.PutUint64(b[8:], headerSum(b[:start]))
		requireCanonical(t, b)
	})
}

func requireCanonical(t *testing.T, b []byte) {
	r, err := decode(b)
	if err != nil {
		return
	}
	require.NoError(t, r.Check())
	require.Equal(t, b, encode(&r))
}
