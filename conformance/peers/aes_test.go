package peers

import (
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"slices"
	"testing"

	"github.com/c2sp/wycheproof"
	"github.com/rockstar-web/sessions/internal/aesgcm"
	"github.com/stretchr/testify/require"
)

// vectorFile is Wycheproof's for AES-GCM.
const vectorFile = "aes_gcm_test.json"

// hexBytes are bytes in hexadecimal in JSON.
type hexBytes []byte

func (b *hexBytes) UnmarshalText(text []byte) (err error) {
	*b, err = hex.DecodeString(string(text))
	return err
}

// vector is one test of Wycheproof: an encryption, or something that no
// decryption may accept.
type vector struct {
	ID      int      `json:"tcId"`
	Comment string   `json:"comment"`
	Key     hexBytes `json:"key"`
	IV      hexBytes `json:"iv"`
	AAD     hexBytes `json:"aad"`
	Msg     hexBytes `json:"msg"`
	CT      hexBytes `json:"ct"`
	Tag     hexBytes `json:"tag"`
	Result  string   `json:"result"`
}

// vectorsOfWycheproof are those of AES-256-GCM with a nonce of 96 bits and a tag
// of 128, the only kind that this project seals.
func vectorsOfWycheproof(t *testing.T) (all []vector) {
	t.Helper()
	text, err := fs.ReadFile(wycheproof.TestVectors, vectorFile)
	require.NoError(t, err)
	var file struct {
		TestGroups []struct {
			IVSize, KeySize, TagSize int
			Tests                    []vector
		}
	}
	require.NoError(t, json.Unmarshal(text, &file))
	for _, g := range file.TestGroups {
		if g.KeySize == 256 && g.IVSize == 96 && g.TagSize == 128 {
			all = append(all, g.Tests...)
		}
	}
	return all
}

// aead is what both of the package's ciphers are.
type aead interface {
	Seal(dst, nonce, plaintext, data []byte) []byte
	Open(dst, nonce, ciphertext, data []byte) ([]byte, error)
}

// TestAESAgainstWycheproof holds the cipher in plain Go, and the one that is
// chosen on this machine, to what others' ciphers were caught at.
func TestAESAgainstWycheproof(t *testing.T) {
	againstWycheproof(t, func(key *[32]byte) map[string]aead {
		chosen, err := aesgcm.New(key)
		require.NoError(t, err)
		return map[string]aead{"plain": aesgcm.NewPlain(key), "chosen": chosen}
	})
}

func againstWycheproof(t *testing.T, ciphers func(key *[32]byte) map[string]aead) {
	t.Helper()
	all := vectorsOfWycheproof(t)
	require.Len(t, all, 66)
	results := map[string]int{}
	for _, v := range all {
		results[v.Result]++
		key := [32]byte(v.Key)
		for name, c := range ciphers(&key) {
			switch v.Result {
			case "valid":
				v.seals(t, name, c)
			case "invalid":
				v.isRefused(t, name, c)
			default:
				t.Fatalf("vector %d: unknown result %q", v.ID, v.Result)
			}
		}
	}
	require.Equal(t, map[string]int{"valid": 39, "invalid": 27}, results)
	t.Logf("%d vectors of Wycheproof, %d valid and %d invalid", len(all), results["valid"], results["invalid"])
}

// sealed is ciphertext and tag, with room to spare.
func (v *vector) sealed() []byte {
	return slices.Concat(v.CT, v.Tag, make([]byte, 8))[:len(v.CT)+len(v.Tag)]
}

func (v *vector) seals(t *testing.T, name string, c aead) {
	t.Helper()
	require.Equal(t, v.sealed(), c.Seal(nil, v.IV, v.Msg, v.AAD), "vector %d, %s: %s", v.ID, name, v.Comment)
	opened, err := c.Open([]byte{}, v.IV, v.sealed(), v.AAD)
	require.NoError(t, err, "vector %d, %s: %s", v.ID, name, v.Comment)
	require.Equal(t, []byte(v.Msg), opened, "vector %d, %s: %s", v.ID, name, v.Comment)

	room := append(make([]byte, 0, len(v.Msg)+len(v.Tag)), v.Msg...) // and in place
	room = c.Seal(room[:0], v.IV, room, v.AAD)
	require.Equal(t, v.sealed(), room, "vector %d, %s, in place: %s", v.ID, name, v.Comment)
	opened, err = c.Open(room[:0], v.IV, room, v.AAD)
	require.NoError(t, err, "vector %d, %s, in place: %s", v.ID, name, v.Comment)
	require.Equal(t, []byte(v.Msg), opened, "vector %d, %s, in place: %s", v.ID, name, v.Comment)
}

func (v *vector) isRefused(t *testing.T, name string, c aead) {
	t.Helper()
	opened, err := c.Open(nil, v.IV, v.sealed(), v.AAD)
	require.Error(t, err, "vector %d, %s: %s", v.ID, name, v.Comment)
	require.Empty(t, opened)
	room := v.sealed()
	opened, err = c.Open(room[:0], v.IV, room, v.AAD)
	require.Error(t, err, "vector %d, %s, in place: %s", v.ID, name, v.Comment)
	require.Empty(t, opened)
}
