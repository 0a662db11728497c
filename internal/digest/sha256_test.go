package digest

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func drawn(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{byte(n), byte(n >> 8)}).Read(b) // never fails
	return b
}

func TestEqualsGo(t *testing.T) {
	for n := range 300 {
		data := drawn(n)
		require.Equal(t, sha256.Sum256(data), sum(data), "%d bytes", n)
		require.Equal(t, Sum256(data), sum(data))
		for cut := range n + 1 { // in parts, cut anywhere
			require.Equal(t, sha256.Sum256(data), sum(data[:cut], nil, data[cut:]), "%d bytes cut at %d", n, cut)
		}
		for _, key := range [][]byte{nil, data, drawn(32), drawn(64), drawn(65), drawn(200)} {
			h := hmac.New(sha256.New, key)
			h.Write(data)
			want := [32]byte(h.Sum(nil))
			require.Equal(t, want, mac(key, data))
			require.Equal(t, want, HMAC(key, data))
		}
		if n == 0 {
			continue
		}
		want, err := hkdf.Key(sha256.New, data, nil, "info \x00", 64)
		require.NoError(t, err)
		require.Equal(t, want, expand(data, "info \x00"))
		chosen, err := HKDF(data, "info \x00")
		require.NoError(t, err)
		require.Equal(t, want, chosen)
	}
	million := make([]byte, 1_000_003)
	require.Equal(t, sha256.Sum256(million), sum(million))
}

func FuzzEqualsGo(f *testing.F) {
	f.Add([]byte("abc"), []byte("key"))
	f.Fuzz(func(t *testing.T, data, key []byte) {
		require.Equal(t, sha256.Sum256(data), sum(data))
		h := hmac.New(sha256.New, key)
		h.Write(data)
		require.Equal(t, h.Sum(nil), append([]byte(nil), func() []byte { m := mac(key, data); return m[:] }()...))
	})
}
