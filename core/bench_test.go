package core

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"testing"
)

func BenchmarkIdentify(b *testing.B) {
	m := testMachine(b, Policy{})
	now := Time(1_800_000_000_000)
	t := Ticket{ID: ID{1}}
	seed := seeded(1)
	v, _ := m.appendCookie(nil, &t, "", now, &seed)
	h := []string{"rockstar_session=" + string(v)}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Identify(h, "", now); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSealCookie(b *testing.B) {
	m := testMachine(b, Policy{})
	now := Time(1_800_000_000_000)
	t := Ticket{ID: ID{1}}
	seed := seeded(1)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.appendCookie(nil, &t, "", now, &seed); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBare(b *testing.B) {
	block, _ := aes.NewCipher(testKey[:32])
	a, _ := cipher.NewGCM(block)
	pt := make([]byte, 56)
	nonce := make([]byte, 12)
	aad := make([]byte, 40)
	ct := a.Seal(append(make([]byte, 9), nonce...), nonce, pt, aad)
	text := base64.RawURLEncoding.EncodeToString(ct)
	b.Run("open", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			raw, _ := base64.RawURLEncoding.DecodeString(text)
			if _, err := a.Open(nil, raw[9:21], raw[21:], aad); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("openready", func(b *testing.B) {
		b.ReportAllocs()
		buf := make([]byte, 200)
		src := []byte(text)
		out := make([]byte, 0, 100)
		for b.Loop() {
			n, _ := base64.RawURLEncoding.Decode(buf, src)
			if _, err := a.Open(out, buf[9:21], buf[21:n], aad); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("seal", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = base64.RawURLEncoding.EncodeToString(a.Seal(append(make([]byte, 9), nonce...), nonce, pt, aad))
		}
	})
}
