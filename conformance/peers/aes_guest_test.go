package peers

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/c2sp/wycheproof"
	"github.com/stretchr/testify/require"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

const (
	aesModule = "../../wasm/testdata/aes.wasm" // of wasm/aesguest
	roomSize  = 1 << 16                        // the guest's, for arguments and result
)

// engines are the two ways in which wazero runs a module, and what messages each
// is given: one of every size below small, and large ones of any below most. The
// interpreter is slow under the race detector.
var engines = map[string]struct {
	config             wazero.RuntimeConfig
	small, large, most int
}{
	"compiler":    {wazero.NewRuntimeConfig(), 300, 100, 16 << 10}, // where wazero has one
	"interpreter": {wazero.NewRuntimeConfigInterpreter(), 40, 4, 1 << 10},
}

// places are where a result may go: so far behind the beginning of the text.
var places = map[string]func(text int) int{
	"in place":    func(int) int { return 0 },
	"overlapping": func(int) int { return 5 },
	"apart":       func(text int) int { return text },
}

// aesGuest is the cipher as TinyGo makes it.
func aesGuest(t *testing.T, config wazero.RuntimeConfig) api.Module {
	t.Helper()
	code, err := os.ReadFile(aesModule)
	require.NoError(t, err)
	r := wazero.NewRuntimeWithConfig(t.Context(), config)
	t.Cleanup(func() { require.NoError(t, r.Close(context.Background())) })
	m, err := r.InstantiateWithConfig(t.Context(), code, wazero.NewModuleConfig().WithStartFunctions("_initialize"))
	require.NoError(t, err)
	return m
}

// guestAEAD is the guest under one key, with results in one of the places.
type guestAEAD struct {
	t     *testing.T
	guest api.Module
	key   *[32]byte
	place func(text int) int
}

func inAllPlaces(t *testing.T, guest api.Module, key *[32]byte) map[string]aead {
	ciphers := map[string]aead{}
	for name, place := range places {
		ciphers[name] = guestAEAD{t, guest, key, place}
	}
	return ciphers
}

func (a guestAEAD) Seal(dst, nonce, plaintext, data []byte) []byte {
	sealed, ok := a.call("seal", nonce, plaintext, data)
	require.True(a.t, ok)
	return append(dst, sealed...)
}

var errRefused = errors.New("refused")

func (a guestAEAD) Open(dst, nonce, ciphertext, data []byte) ([]byte, error) {
	opened, ok := a.call("open", nonce, ciphertext, data)
	if !ok {
		return nil, errRefused
	}
	return append(dst, opened...), nil
}

// call also looks that the guest writes its result and nothing else.
func (a guestAEAD) call(verb string, nonce, text, data []byte) (result []byte, ok bool) {
	in := slices.Concat(a.key[:], nonce, data, text)
	out := len(in) - len(text) + a.place(len(text))
	copy(a.room(), in)
	want := slices.Clone(a.room())
	n, err := a.guest.ExportedFunction(verb).Call(a.t.Context(), uint64(len(data)), uint64(len(text)), uint64(out))
	require.NoError(a.t, err)
	if size := int32(n[0]); size >= 0 {
		result, ok = slices.Clone(a.room()[out:out+int(size)]), true
		copy(want[out:], result)
	}
	require.True(a.t, bytes.Equal(want, a.room()), "%s writes beside its result", verb)
	return result, ok
}

// room is the guest's memory, until that grows.
func (a guestAEAD) room() []byte {
	at, err := a.guest.ExportedFunction("buffer").Call(a.t.Context())
	require.NoError(a.t, err)
	room, ok := a.guest.Memory().Read(uint32(at[0]), roomSize)
	require.True(a.t, ok)
	return room
}

func TestAESInWasmAgainstWycheproof(t *testing.T) {
	for name, e := range engines {
		t.Run(name, func(t *testing.T) {
			guest := aesGuest(t, e.config)
			againstWycheproof(t, func(key *[32]byte) map[string]aead { return inAllPlaces(t, guest, key) })
		})
	}
}

// TestAESInWasmAgainstGo seals and opens messages, each under a key of its own,
// and forgeries of them.
func TestAESInWasmAgainstGo(t *testing.T) {
	for name, e := range engines {
		t.Run(name, func(t *testing.T) {
			guest := aesGuest(t, e.config)
			random := rand.NewChaCha8([32]byte([]byte("the same messages in every run: ")))
			below := func(n int) int { return int(random.Uint64() % uint64(n)) }
			drawn := func(n int) []byte {
				b := make([]byte, n)
				_, _ = random.Read(b) // never fails
				return b
			}
			for n := range e.small + e.large {
				if n >= e.small {
					n = below(e.most)
				}
				key := [32]byte(drawn(32))
				nonce, plaintext, data := drawn(12), drawn(n), drawn(below(200))
				sealed := goAEAD(t, &key).Seal(nil, nonce, plaintext, data)
				forged := slices.Clone(sealed)
				forged[below(len(forged))] ^= 1 << below(8)
				for place, c := range inAllPlaces(t, guest, &key) {
					require.True(t, bytes.Equal(sealed, c.Seal(nil, nonce, plaintext, data)), "%d bytes, %s", n, place)
					opened, err := c.Open(nil, nonce, sealed, data)
					require.NoError(t, err, "%d bytes, %s", n, place)
					require.True(t, bytes.Equal(plaintext, opened), "%d bytes, %s", n, place)
					_, err = c.Open(nil, nonce, forged, data)
					require.ErrorIs(t, err, errRefused, "%d bytes, %s", n, place)
				}
			}
			t.Logf("%d random messages", e.small+e.large)
		})
	}
}

func goAEAD(t *testing.T, key *[32]byte) cipher.AEAD {
	t.Helper()
	block, err := aes.NewCipher(key[:])
	require.NoError(t, err)
	gcm, err := cipher.NewGCM(block)
	require.NoError(t, err)
	return gcm
}

// TestAESInNode has Node run the same module, against the same vectors and its own
// cipher.
func TestAESInNode(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("no node: this test needs Node 18 or later")
		}
		t.Skip("SKIPPED, NOT TESTED: no node; install Node 18 or later")
	}
	vectors, err := wycheproof.TestVectors.Open(vectorFile)
	require.NoError(t, err)
	defer vectors.Close()
	cmd := exec.CommandContext(t.Context(), node, "aes.mjs", aesModule)
	cmd.Stdin = vectors
	text, err := cmd.CombinedOutput()
	require.NoError(t, err, string(text))
	require.Equal(t, "ok: 39 valid and 27 invalid vectors, 400 random messages\n", string(text))
	t.Log(strings.TrimSpace(string(text)))
}
