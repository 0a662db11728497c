package hosts_test

import (
	"encoding/base64"
	"encoding/hex"
	"math/rand/v2"
	"testing"

	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/internal/soak"
	"github.com/stretchr/testify/require"
)

func TestAKeyFromASecret(t *testing.T) {
	secret := "b1946ac92492d2347c6235b4d2611184e8f0a7d3c5b6914d2f0b7a6c3e9d8f10"
	key, err := hosts.DeriveKey(secret)
	require.NoError(t, err)
	// HKDF-SHA256 without a salt, as Python's hmac and hashlib compute it.
	require.Equal(t, "ece11893800bfacf77202670f9feb754039a0de9f96f55234978e48763844de3", hex.EncodeToString(key.Bytes()))
	again, err := hosts.DeriveKey(secret)
	require.NoError(t, err)
	require.Equal(t, key.Bytes(), again.Bytes())
	other, err := hosts.DeriveKey(secret + "0")
	require.NoError(t, err)
	require.NotEqual(t, key.Bytes(), other.Bytes())
	m, err := hosts.New(memory(t), hosts.Config{Key: key})
	require.NoError(t, err)
	require.NoError(t, m.Close())
}

func TestPasswordsAreNoSecrets(t *testing.T) {
	for _, secret := range []string{
		"", "short", "b1946ac92492d2347c6235b4d261118", // 31
		"correct horse battery staple and more words", "correct-horse-battery-staple-and-more", "this-is-my-session-key-for-the-shop",
		"MyPassword1234567890123456789012345", "django-insecure-8#k2x!q0w9e7r5t3y1u6i4o2p", "changemechangemechangemechangeme",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "abcabcabcabcabcabcabcabcabcabcabcabc", "0123456789abcdef0123456789abcdef", "thequickbrownfoxjumpsoverthelazydog",
		"THEQUICKBROWNFOXJUMPSOVERTHELAZYDOG", "your-256-bit-key-goes-right-here-ok", "1111111122222222333333334444444455",
		"My$ecretP4ssw0rd!ForProductionUse2024", "5f4dcc3b5aa765d61d8327deb882cf99", "the-key-has-to-be-32-bytes-long!",
	} {
		key, err := hosts.DeriveKey(secret)
		require.ErrorIs(t, err, hosts.ErrWeakSecret, secret)
		require.True(t, key.IsZero())
		if len(secret) > 5 {
			require.NotContains(t, err.Error(), secret)
		}
	}
}

// What was drawn at random is taken, in any of the usual forms: about one of ten
// million has a word of the list in it and is refused, so the draw is a fixed one.
func TestRandomSecretsAreTaken(t *testing.T) {
	source := rand.NewChaCha8([32]byte{1})
	for range soak.Rounds(t, 2000, 20_000) {
		var b [32]byte
		source.Read(b[:])
		for _, secret := range []string{
			hex.EncodeToString(b[:16]), hex.EncodeToString(b[:]), base64.StdEncoding.EncodeToString(b[:24]), base64.RawURLEncoding.EncodeToString(b[:]),
		} {
			_, err := hosts.DeriveKey(secret)
			require.NoError(t, err, secret)
		}
	}
}
