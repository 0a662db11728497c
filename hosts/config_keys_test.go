package hosts_test

import (
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/stretchr/testify/require"
)

const (
	oneHex = "9f3c1a7be2d840566b0e9d17c4a5f2381d6e7b90a1c3f54e28b7d60c9ea41f53"
	twoHex = "7c1f0e9a52d3b84667e0a1c9d45f3b28906dfa1e37c25b8841f9e07ad63c8b15"
)

func TestKeysOfARotation(t *testing.T) {
	one, err := core.ParseKey(oneHex)
	require.NoError(t, err)
	two, err := core.ParseKey(twoHex)
	require.NoError(t, err)
	const may, june = 1_777_593_600_000, 1_780_272_000_000
	for text, want := range map[string]core.KeyRing{
		oneHex:       {{Bytes: one}},
		oneHex + "@": {{Bytes: one}},
		oneHex + "\n" + twoHex + "@2026-05-01T00:00:00Z\n":                                      {{Bytes: one}, {Bytes: two, SealFrom: may}},
		" " + oneHex + "@..2026-06-01T00:00:00Z , " + twoHex + "@2026-05-01T02:00:00+02:00.. ,": {{Bytes: one, OpenUntil: june}, {Bytes: two, SealFrom: may}},
		oneHex + "@2026-05-01T00:00:00Z..2026-06-01T00:00:00Z":                                  {{Bytes: one, SealFrom: may, OpenUntil: june}},
	} {
		got, err := hosts.ParseKeys(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
}

func TestRefusedKeysOfARotation(t *testing.T) {
	for text, want := range map[string]struct {
		is   error
		text string
	}{
		"":                               {core.ErrNoKey, ""},
		" , \n":                          {core.ErrNoKey, ""},
		oneHex + "," + twoHex[:62]:       {core.ErrKeyLength, "key 2: "},
		oneHex + ",x" + twoHex[1:]:       {core.ErrKeyHex, "key 2: "},
		oneHex + "," + oneHex:            {core.ErrSameKey, ""},
		strings.Repeat("00", 32):         {core.ErrWeakKey, "key 1: "},
		oneHex + "@" + twoHex:            {nil, "key 1: the time from which it seals cannot be read"},
		oneHex + "@.." + twoHex:          {nil, "key 1: the time until which it opens cannot be read"},
		oneHex + "@2026-05-01":           {nil, "RFC 3339"},
		oneHex + "@1969-01-01T00:00:00Z": {nil, "after 1970"},
		oneHex + "@2026-05-01T00:00:00Z..2026-04-01T00:00:00Z": {core.ErrKeyTimes, ""},
	} {
		keys, err := hosts.ParseKeys(text)
		require.Error(t, err, text)
		require.Nil(t, keys)
		if want.is != nil {
			require.ErrorIs(t, err, want.is, text)
		}
		require.ErrorContains(t, err, want.text)
		for _, hidden := range []string{oneHex[:12], twoHex[1:12]} {
			require.NotContains(t, err.Error(), hidden)
		}
	}
}

func TestKeysFromEnv(t *testing.T) {
	t.Setenv(hosts.DefaultKeyVariable, "")
	t.Setenv(hosts.DefaultKeysVariable, "")
	_, err := hosts.KeysFromEnv()
	require.ErrorIs(t, err, core.ErrNoKey)
	t.Setenv(hosts.DefaultKeysVariable, oneHex+"@..2036-06-01T00:00:00Z,"+twoHex)
	config, err := hosts.ConfigFromEnv()
	require.NoError(t, err)
	require.Len(t, config.Keys, 2)
	open(t, nil, config)

	t.Setenv(hosts.DefaultKeyVariable, oneHex)
	_, err = hosts.KeysFromEnv()
	var refused *hosts.ConfigError
	require.ErrorAs(t, err, &refused, "which of them counts?")
	require.EqualError(t, err, "environment variables SESSION_ENCRYPTION_KEY and SESSION_ENCRYPTION_KEYS are both set; unset one of the two")
	t.Setenv(hosts.DefaultKeysVariable, "")
	keys, err := hosts.KeysFromEnv()
	require.NoError(t, err)
	require.Equal(t, oneHex, hex.EncodeToString(keys[0].Bytes.Bytes()))

	require.NoError(t, os.Unsetenv(hosts.DefaultKeyVariable))
	t.Setenv(hosts.DefaultKeysVariable, oneHex+",nonsense")
	_, err = hosts.KeysFromEnv()
	require.ErrorContains(t, err, "environment variable SESSION_ENCRYPTION_KEYS: key 2: ")
}
