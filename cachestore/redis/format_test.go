package redis

import (
	"crypto/sha1"
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

func TestScriptsHaveTheirSums(t *testing.T) {
	for _, s := range []script{saveScript, deleteScript, cleanScript, convertScript} {
		sum := sha1.Sum([]byte(s.text))
		require.Equal(t, hex.EncodeToString(sum[:]), s.sum, s.text)
	}
}

// One bit anywhere, or a byte more or less, is found. So is another's value.
func TestDamageIsFound(t *testing.T) {
	r := newRecord()
	value := []byte(encode(&r, expiry(r.ExpiresAt, core.Hour)))
	got, err := decode(r.ID, value)
	require.NoError(t, err)
	require.Equal(t, r, got)

	_, err = decode(newRecord().ID, value)
	require.ErrorIs(t, err, core.ErrCorrupt)
	for n := range value {
		_, err := decode(r.ID, value[:n])
		require.ErrorIs(t, err, core.ErrCorrupt, "cut at %d", n)
	}
	_, err = decode(r.ID, append([]byte(string(value)), 0))
	require.ErrorIs(t, err, core.ErrCorrupt)
	for bit := range 8 * len(value) {
		bad := []byte(string(value))
		bad[bit/8] ^= 1 << (bit % 8)
		_, err := decode(r.ID, bad)
		if bit/8 == offFormat && bad[offFormat] > format {
			require.ErrorIs(t, err, hosts.ErrUnavailable, "a newer format")
			require.NotErrorIs(t, err, core.ErrCorrupt)
			continue
		}
		require.ErrorIs(t, err, core.ErrCorrupt, "bit %d", bit)
	}
}

// Whatever stands in a value, with a right checksum too, gives an error or a
// record within its bounds.
func FuzzDecode(f *testing.F) {
	r := newRecord()
	f.Add([]byte(encode(&r, 1)), true)
	f.Add([]byte{}, false)
	f.Add(make([]byte, fixedSize), true)
	f.Fuzz(func(t *testing.T, b []byte, mend bool) {
		if mend && len(b) >= fixedSize {
			sum := checksum(r.ID, b)
			for i := range 8 {
				b[offSum+i] = byte(sum >> (56 - 8*i))
			}
		}
		got, err := decode(r.ID, b)
		if err == nil {
			require.NoError(t, got.Check())
			require.Equal(t, r.ID, got.ID)
		}
	})
}

func TestExpiry(t *testing.T) {
	require.EqualValues(t, 1000+core.Hour, expiry(1000, core.Hour))
	require.EqualValues(t, 1, expiry(-core.Day, core.Hour), "the server takes none that is not positive")
	require.EqualValues(t, latest, expiry(1<<62, core.Hour))
	require.EqualValues(t, latest, expiry(latest, core.Hour))
}

func TestEntries(t *testing.T) {
	r := newRecord()
	e := entryOf(&r)
	got, ok := readEntry(place{int(r.ID[0]), e.bucket}, e.text())
	require.True(t, ok)
	require.Equal(t, e, got)
	_, ok = readEntry(place{}, e.text()[1:])
	require.False(t, ok)

	nobody, o := ownerOf("acme", ""), ownerOf("acme", "ada")
	require.Equal(t, make([]byte, 8), nobody[:8])
	require.Equal(t, o[8:], nobody[8:], "the same tenant")
	require.Equal(t, r.ID[1]%bucketCount, nobody.bucket(r.ID), "nobody's are spread")
	require.Equal(t, o.bucket(core.ID{}), o.bucket(r.ID), "a user's are together")
	require.NotEqual(t, ownerOf("a", "bc"), ownerOf("ab", "c"))
}
