package peers

import (
	"bytes"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/conformance/ratio"
	"github.com/rockstar-web/sessions/core"
	"github.com/stretchr/testify/require"
)

// session is ten values of the kinds that applications keep.
func session() map[string]any {
	return map[string]any{
		"user":  "5f2c9a81",
		"since": time.Date(2026, 3, 4, 5, 6, 7, 89, time.FixedZone("", 7200)),
		"count": 42,
		"score": 0.7316,
		"cart":  []any{"apple", 3, true},
		"token": []byte("0123456789abcdef"),
		"prefs": map[string]any{"theme": "dark", "size": 12},
		"roles": []string{"admin", "editor"},
		"admin": true,
		"seen":  int64(1 << 40),
	}
}

// The peer does a little less: it does not bring back int64, []string and the
// like as what they were.
func BenchmarkRatioValues(b *testing.B) {
	if b.N > 1 {
		return // a ratio is measured once, in rounds of its own
	}
	const rounds, calls = 301, 200
	m := session()
	enc, dec := peerModes(b)
	ours, theirs := make([]byte, 0, 4096), new(bytes.Buffer)
	var ourErr, theirErr error
	times := ratio.Interleave(rounds, func() {
		for range calls {
			ours, ourErr = core.AppendValue(ours[:0], m)
		}
	}, func() {
		for range calls {
			theirs.Reset()
			theirErr = enc.MarshalToBuffer(m, theirs)
		}
	})
	require.NoError(b, ourErr)
	require.NoError(b, theirErr)
	ratio.Print("values-encode", float64(times[1])/float64(times[0]), 2, true)
	b.Logf("encode: %v, peer %v", times[0]/calls, times[1]/calls)

	times = ratio.Interleave(rounds, func() {
		for range calls {
			_, ourErr = core.DecodeValue(ours)
		}
	}, func() {
		for range calls {
			var v any
			theirErr = dec.Unmarshal(theirs.Bytes(), &v)
		}
	})
	require.NoError(b, ourErr)
	require.NoError(b, theirErr)
	ratio.Print("values-decode", float64(times[1])/float64(times[0]), 2, true)
	b.Logf("decode: %v, peer %v", times[0]/calls, times[1]/calls)
}
