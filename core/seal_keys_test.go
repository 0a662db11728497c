package core

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRefusedKeys(t *testing.T) {
	good := testKey[:KeyLen]
	sequential := make([]byte, KeyLen)
	falling := make([]byte, KeyLen)
	for i := range sequential {
		sequential[i], falling[i] = byte(i), byte(200-3*i)
	}
	for _, c := range []struct {
		what string
		key  []byte
		want error
	}{
		{"none", nil, ErrNoKey},
		{"empty", []byte{}, ErrNoKey},
		{"AES-128", good[:16], ErrKeyLength},
		{"31 bytes", good[:31], ErrKeyLength},
		{"33 bytes", testKey[:33], ErrKeyLength},
		{"63 digits", []byte(hex.EncodeToString(good))[:63], ErrKeyLength},
		{"a megabyte", bytes.Repeat(good, 1<<15), ErrKeyLength},
		{"zero", make([]byte, KeyLen), ErrWeakKey},
		{"zero in hex", []byte(strings.Repeat("0", 64)), ErrWeakKey},
		{"one byte repeated", bytes.Repeat([]byte{0xff}, KeyLen), ErrWeakKey},
		{"half repeated", append(bytes.Clone(good[:16]), good[:16]...), ErrWeakKey},
		{"15 bytes repeated", bytes.Repeat(good[:15], 3)[:KeyLen], ErrWeakKey},
		{"sequential", sequential, ErrWeakKey},
		{"in steps, downwards", falling, ErrWeakKey},
		{"sequential in hex", []byte(hex.EncodeToString(sequential)), ErrWeakKey},
		{"of Go's manual", []byte("6368616e676520746869732070617373776f726420746f206120736563726574"), ErrWeakKey},
		{"example in letters", []byte("your-32-byte-encryption-key-here"), ErrWeakKey},
		{"half a key in hex", []byte(hex.EncodeToString(good[:16])), ErrKeyHexRaw},
		{"half a key in capitals", []byte(strings.ToUpper(hex.EncodeToString(good[:16]))), ErrKeyHexRaw},
	} {
		m, err := NewMachine(Policy{}, KeyRing{{Bytes: NewSecret(c.key)}})
		require.ErrorIs(t, err, c.want, c.what)
		require.Nil(t, m)
		require.Empty(t, KeyID(NewSecret(c.key)), c.what)
		for i := 0; i+12 <= len(c.key) && i < 64; i++ {
			require.NotContains(t, err.Error(), string(c.key[i:i+12]), "%s: an error shows the key", c.what)
		}
	}
	_, err := NewMachine(Policy{}, nil)
	require.ErrorIs(t, err, ErrNoKey)
	for _, e := range exampleKeys {
		require.Len(t, e, KeyLen, "of no use in the list")
	}
}

func TestParseKey(t *testing.T) {
	text := "8f1b41207465737420006579ff7265616c6c79206e6f7420666f7220616e7920"
	want, err := hex.DecodeString(text)
	require.NoError(t, err)
	for _, given := range []string{text, strings.ToUpper(text), text + "\n", " " + text + "\r\n"} {
		key, err := ParseKey(given)
		require.NoError(t, err)
		require.Equal(t, want, key.Bytes())
	}
	for given, want := range map[string]error{
		"": ErrNoKey, " \n": ErrNoKey,
		text[:62]: ErrKeyLength, text[:63]: ErrKeyLength, text + "00": ErrKeyLength,
		"g" + text[1:]: ErrKeyHex, "0x" + text[2:]: ErrKeyHex, text[:32] + " " + text[33:]: ErrKeyHex,
		strings.Repeat("ab", 32): ErrWeakKey,
	} {
		_, err := ParseKey(given)
		require.ErrorIs(t, err, want, given)
		require.NotContains(t, err.Error(), "41207465")
	}
}

func TestKeyID(t *testing.T) {
	key := testKey[:KeyLen]
	sum := sha256.Sum256([]byte("rockstar sessions key id\x00" + string(key)))
	require.Equal(t, hex.EncodeToString(sum[:4]), KeyID(NewSecret(key)))
	require.Equal(t, KeyID(NewSecret(key)), KeyID(NewSecret(hex.EncodeToString(key))), "raw and hex are one key")
	require.NotEqual(t, KeyID(NewSecret(key)), KeyID(NewSecret(testKey[1:KeyLen+1])))
}

// TestOneKeyPerID: messages name their key by 4 bytes, so a ring refuses two
// keys that share them: twice the same, or a collision, which is found here.
func TestOneKeyPerID(t *testing.T) {
	key := testKey[:KeyLen]
	_, err := NewMachine(Policy{}, KeyRing{{Bytes: NewSecret(key)}, {Bytes: NewSecret(hex.EncodeToString(key)), SealFrom: 1}})
	require.ErrorIs(t, err, ErrSameKey)
	drawn := func(n uint32) []byte {
		k := sha256.Sum256(binary.BigEndian.AppendUint32(nil, n))
		return k[:]
	}
	met := map[keyID]uint32{}
	for n := uint32(0); ; n++ {
		require.Less(t, n, uint32(1<<20))
		if other, ok := met[idOfKey(drawn(n))]; ok {
			_, err = NewMachine(Policy{}, KeyRing{{Bytes: NewSecret(drawn(n))}, {Bytes: NewSecret(drawn(other))}})
			require.ErrorIs(t, err, ErrSameKey)
			return
		}
		met[idOfKey(drawn(n))] = n
	}
}

func TestRefusedRings(t *testing.T) {
	var many KeyRing
	for i := range MaxKeys + 1 {
		k := sha256.Sum256([]byte{byte(i)})
		many = append(many, Key{Bytes: NewSecret(k[:])})
	}
	_, err := NewMachine(Policy{}, many[:MaxKeys])
	require.NoError(t, err)
	_, err = NewMachine(Policy{}, many)
	require.ErrorIs(t, err, ErrTooManyKeys)
	_, err = NewMachine(Policy{}, KeyRing{{Bytes: many[0].Bytes, SealFrom: 2, OpenUntil: 1}})
	require.ErrorIs(t, err, ErrKeyTimes)
}

// TestRingOwnsItsKeys: what the caller does to its bytes later is its own.
func TestRingOwnsItsKeys(t *testing.T) {
	key := bytes.Clone(testKey[:KeyLen])
	m, err := NewMachine(Policy{}, KeyRing{{Bytes: NewSecret(key)}})
	require.NoError(t, err)
	clear(key)
	_, err = testMachine(t, Policy{}).Identify([]string{signIn(t, m, Request{}, 0, testNow).cookie}, "", testNow)
	require.NoError(t, err)
}
