package peers

import (
	"bytes"
	"math"
	"reflect"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/rockstar-web/sessions/core"
	"github.com/stretchr/testify/require"
)

// peerModes are fxamacker/cbor held to the same rules: deterministic bytes,
// no duplicate keys, no indefinite lengths, a map is a map[string]any.
func peerModes(t testing.TB) (cbor.UserBufferEncMode, cbor.DecMode) {
	t.Helper()
	options := cbor.CoreDetEncOptions()
	options.Time, options.TimeTag = cbor.TimeRFC3339Nano, cbor.EncTagRequired
	enc, err := options.UserBufferEncMode()
	require.NoError(t, err)
	dec, err := cbor.DecOptions{
		DupMapKey:      cbor.DupMapKeyEnforcedAPF,
		IndefLength:    cbor.IndefLengthForbidden,
		IntDec:         cbor.IntDecConvertSignedOrFail,
		DefaultMapType: reflect.TypeFor[map[string]any](),
	}.DecMode()
	require.NoError(t, err)
	return enc, dec
}

// requireSameAsPeer: both write the same bytes, and each reads the other's.
func requireSameAsPeer(t *testing.T, enc cbor.EncMode, dec cbor.DecMode, v any) {
	t.Helper()
	ours, err := core.AppendValue(nil, v)
	require.NoError(t, err)
	theirs, err := enc.Marshal(v)
	require.NoError(t, err)
	require.Equal(t, theirs, ours, "%#v", v)

	var got any
	require.NoError(t, dec.Unmarshal(ours, &got))
	again, err := core.DecodeValue(theirs)
	require.NoError(t, err)
	require.Equal(t, asPeer(again), asBits(got))
}

// asPeer gives an untagged value the types that the peer reads: int64 for int.
// Floats are compared by their bits, as NaN is equal to nothing.
func asPeer(v any) any {
	switch v := v.(type) {
	case int:
		return int64(v)
	case []any, map[string]any:
		return inside(v, asPeer)
	}
	return asBits(v)
}

type floatBits uint64

func asBits(v any) any {
	if f, ok := v.(float64); ok {
		return floatBits(math.Float64bits(f))
	}
	return inside(v, asBits)
}

// inside replaces each element of a list or map.
func inside(v any, with func(any) any) any {
	switch v := v.(type) {
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = with(v[i])
		}
		return list
	case map[string]any:
		m := make(map[string]any, len(v))
		for key := range v {
			m[key] = with(v[key])
		}
		return m
	}
	return v
}

func TestUntaggedValuesAreThePeersBytes(t *testing.T) {
	enc, dec := peerModes(t)
	floats := []any{0.0, math.Copysign(0, -1), 1.5, 65504.0, 65505.0, 65536.0, 0x1p-24, 0x1p-25, 0x3ffp-24, 0x1.004p-15, 0x1p-14, 1.1,
		math.MaxFloat32, math.SmallestNonzeroFloat32, 0x1p-126, math.MaxFloat64, math.SmallestNonzeroFloat64, math.Inf(1), math.Inf(-1), math.NaN(),
		math.Float64frombits(0x7ff0000000000001), math.Float64frombits(0xfff8000000000001)}
	ints := []any{0, 23, 24, 255, 256, 65535, 65536, math.MaxUint32, math.MaxUint32 + 1, math.MaxInt64,
		-1, -24, -25, -256, -257, -65536, -65537, math.MinInt32, -math.MaxUint32 - 1, -math.MaxUint32 - 2, math.MinInt64}
	for _, v := range append(append(floats, ints...), nil, true, false, "", "a", "\u00fc\u6c34\U00010151", []byte{}, []byte{0, 255},
		[]any{}, map[string]any{}, floats, ints,
		map[string]any{"b": 1, "aa": 2, "": 3, "a": map[string]any{"\u00fc": nil, "z": []any{1.5, "x"}}}) {
		requireSameAsPeer(t, enc, dec, v)
	}
	for shift := range 64 {
		for _, around := range []int64{-1, 0, 1} {
			n := int64(uint64(1)<<shift) + around
			requireSameAsPeer(t, enc, dec, int(n))
			requireSameAsPeer(t, enc, dec, float64(n))
			requireSameAsPeer(t, enc, dec, math.Ldexp(float64(n), -40))
		}
	}
}

// FuzzDifferential: of any bytes, the two agree. What we read the peer reads
// as the same value and writes as the same bytes; what the peer reads and
// writes as the same bytes we read too, unless it is of a type or size that a
// session does not keep.
func FuzzDifferential(f *testing.F) {
	enc, dec := peerModes(f)
	for _, v := range []any{1, -1, 1.5, "text", []byte("bytes"), session(), []any{map[string]any{"": nil}, 1e300}} {
		data, err := core.AppendValue(nil, v)
		require.NoError(f, err)
		f.Add(data)
		data, err = enc.Marshal(v)
		require.NoError(f, err)
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		ours, ourErr := core.DecodeValue(data)
		var theirs any
		theirErr := dec.Unmarshal(data, &theirs)
		if ourErr == nil {
			require.NoError(t, cbor.Wellformed(data), "what we accept is CBOR")
			if untagged(ours) {
				require.NoError(t, theirErr)
				require.Equal(t, asPeer(ours), asBits(theirs))
				again, err := enc.Marshal(ours)
				require.NoError(t, err)
				require.Equal(t, data, again)
			}
			return
		}
		if theirErr != nil || !kept(theirs) || ourErr == core.ErrNesting {
			return
		}
		again, err := enc.Marshal(theirs)
		require.NoError(t, err)
		require.NotEqual(t, data, again, "deterministic, and yet refused")
	})
}

// untagged reports whether a value that we read needs no private tag.
func untagged(v any) bool {
	switch v := v.(type) {
	case nil, bool, int, float64, []byte:
		return true
	case string:
		return bytes.Equal([]byte(v), bytes.ToValidUTF8([]byte(v), nil))
	case []any:
		for _, e := range v {
			if !untagged(e) {
				return false
			}
		}
		return true
	case map[string]any:
		for key, e := range v {
			if !untagged(key) || !untagged(e) {
				return false
			}
		}
		return true
	}
	return false
}

// kept reports whether a value that the peer read is of a type that a session
// keeps untagged.
func kept(v any) bool {
	switch v := v.(type) {
	case nil, bool, int64, float64, []byte, string:
		return true
	case []any:
		for _, e := range v {
			if !kept(e) {
				return false
			}
		}
		return true
	case map[string]any:
		for _, e := range v {
			if !kept(e) {
				return false
			}
		}
		return true
	}
	return false
}
