package core

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestInspectTellsWhatACookieSays(t *testing.T) {
	m := testMachine(t, Policy{})
	g := signIn(t, m, Request{Tenant: "a"}, 0, testNow+5*Minute)

	in, err := m.Inspect(g.value(), "a", testNow+Hour)
	require.NoError(t, err)
	whole := Inspection{Format: 1, KeyID: KeyID(NewSecret(testKey[:KeyLen])), Epoch: testNow, ID: g.rec.ID}
	require.Equal(t, whole, in)

	next := g.resume(t, m, testNow+Hour)
	require.NoError(t, next.Login("alice", 0))
	in, err = m.Inspect(received(commit(t, m, next, testNow+Hour, 2)).value(), "a", testNow+Hour)
	require.NoError(t, err)
	require.Equal(t, Inspection{Format: 1, KeyID: whole.KeyID, Epoch: testNow + Hour, ID: g.rec.ID, Chain: 1}, in)
}

func TestInspectTellsWhatItCanOfARefusedValue(t *testing.T) {
	m := testMachine(t, Policy{})
	value := signIn(t, m, Request{Tenant: "a"}, 0, testNow).value()
	header := Inspection{Format: 1, KeyID: KeyID(NewSecret(testKey[:KeyLen])), Epoch: testNow}

	other, err := NewMachine(Policy{}, KeyRing{{Bytes: NewSecret([]byte("\x01\x02other test key, no use at all!!")[:KeyLen])}})
	require.NoError(t, err)
	for name, c := range map[string]struct {
		m             *Machine
		value, tenant string
		now           Time
		told          Inspection
		refusal       error
	}{
		"other tenant":      {m, value, "b", testNow, header, ErrNotAuthentic},
		"other key":         {other, value, "a", testNow, header, ErrUnknownKey},
		"too old":           {m, value, "a", testNow + MaxLifetime + 2*Hour, header, ErrExpired},
		"from the future":   {m, value, "a", testNow - 3*Hour, header, ErrNotAuthentic},
		"cut off":           {m, value[:headerText], "a", testNow, header, ErrMalformed},
		"cut in the header": {m, value[:headerText-1], "a", testNow, Inspection{}, ErrMalformed},
		"another format":    {m, "Ag" + value[2:], "a", testNow, Inspection{Format: 2}, ErrMalformed},
		"not base64":        {m, strings.Repeat("?", cookieLen), "a", testNow, Inspection{}, ErrMalformed},
		"empty":             {m, "", "a", testNow, Inspection{}, ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			in, err := c.m.Inspect(c.value, c.tenant, c.now)
			require.ErrorIs(t, err, c.refusal)
			require.Equal(t, c.told, in)
		})
	}
}
