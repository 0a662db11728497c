package peers

import (
	"bytes"
	"reflect"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/rockstar-web/sessions/core"
)

// session is ten values as an application keeps them.
func session() map[string]any {
	return map[string]any{
		"user":    "5f2c9a",
		"admin":   true,
		"roles":   []string{"admin", "editor"},
		"since":   time.Date(2026, 3, 4, 5, 6, 7, 89, time.UTC),
		"count":   42,
		"score":   0.7316,
		"cart":    []any{"apple", 3, true},
		"token":   []byte("0123456789abcdef"),
		"prefs":   map[string]any{"theme": "dark", "size": 12},
		"visited": int64(1 << 40),
	}
}

// The peer has no private tags: it is given the same Go values, keeps a time
// as a tagged number of seconds, and brings back fewer of the types.
func BenchmarkRatioValues(b *testing.B) {
	if b.N > 1 {
		return // a ratio is measured once, with its own rounds
	}
	const rounds, calls = 201, 500
	m := session()
	enc, dec := peerModes(b)

	var theirs bytes.Buffer
	ours := make([]byte, 0, 4096)
	medians := Interleave(rounds, func() {
		for range calls {
			ours, _ = core.AppendValue(ours[:0], m)
		}
	}, func() {
		for range calls {
			theirs.Reset()
			_ = enc.MarshalToBuffer(m, &theirs)
		}
	})
	if len(ours) == 0 || theirs.Len() == 0 {
		b.Fatal("nothing was encoded")
	}
	Ratio("values-encode", float64(medians[1])/float64(medians[0]), 2, true)

	var ourErr, theirErr error
	medians2 := Interleave(rounds, func() {
		for range calls {
			_, ourErr = core.DecodeValue(ours)
		}
	}, func() {
		for range calls {
			var v any
			theirErr = dec.Unmarshal(theirs.Bytes(), &v)
		}
	})
	if ourErr != nil || theirErr != nil {
		b.Fatal(ourErr, theirErr)
	}
	Ratio("values-decode", float64(medians2[1])/float64(medians2[0]), 2, true)
	b.Log(medians[0]/calls, medians[1]/calls, medians2[0]/calls, medians2[1]/calls)
}

func peerModes(t testing.TB) (cbor.UserBufferEncMode, cbor.DecMode) {
	t.Helper()
	options := cbor.CoreDetEncOptions()
	options.Time, options.TimeTag = cbor.TimeRFC3339Nano, cbor.EncTagRequired
	enc, err := options.UserBufferEncMode()
	if err != nil {
		t.Fatal(err)
	}
	dec, err := cbor.DecOptions{
		DupMapKey:      cbor.DupMapKeyEnforcedAPF,
		IndefLength:    cbor.IndefLengthForbidden,
		IntDec:         cbor.IntDecConvertSigned,
		DefaultMapType: reflect.TypeFor[map[string]any](),
	}.DecMode()
	if err != nil {
		t.Fatal(err)
	}
	return enc, dec
}
