package core

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The keys of a renewal, the secrets of several tickets and the ring are printed by
// nothing, also where fmt follows a pointer for a verb that does not fit.
func TestNoSecretIsInWhatIsPrinted(t *testing.T) {
	m := testMachine(t, Policy{RenewAfter: Hour})
	fresh := m.New(Request{})
	require.NoError(t, fresh.Login("bob", 0))
	one, two := signIn(t, m, Request{}, 0, testNow), received(commit(t, m, fresh, testNow, 2))
	pairs := one.cookie + "; " + two.cookie
	tickets, err := m.Identify([]string{pairs}, "", testNow)
	require.NoError(t, err)
	require.Len(t, tickets, 2)
	s, err := m.Resume(tickets[0], map[ID]Record{one.rec.ID: one.rec, two.rec.ID: two.rec}[tickets[0].ID], Request{}, testNow)
	require.NoError(t, err)
	require.NotNil(t, s.in.renewalKey)
	var text strings.Builder
	for _, v := range []any{tickets, tickets[0], &tickets[1], s, *s, m, *m, m.ring} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
			fmt.Fprintf(&text, verb+verb, v, struct{ hidden any }{v})
		}
	}
	for what, secret := range map[string][]byte{"ticket": shown(tickets[0].secret)[:], "second ticket": shown(tickets[1].secret)[:],
		"renewal key": shown(s.in.renewalKey)[:], "key": testKey[:KeyLen]} {
		part := secret[:12]
		for _, form := range []string{string(part), fmt.Sprintf("%x", part), fmt.Sprintf("%X", part), strings.Trim(fmt.Sprint(part), "[]"),
			strings.Trim(fmt.Sprintf("%#v", part)[len("[]byte"):], "{}")} {
			require.False(t, strings.Contains(text.String(), form), "the %s is printed", what)
		}
	}
	require.NotEqual(t, shown(tickets[0].secret), shown(tickets[1].secret))
}

func TestASecretIsACopy(t *testing.T) {
	given := []byte("some bytes")
	s := NewSecret(given)
	clear(given)
	require.Equal(t, "some bytes", string(s.Bytes()))
	require.False(t, s.IsZero())
	require.True(t, NewSecret("").IsZero())
	require.Nil(t, Secret{}.Bytes())
	require.Equal(t, "secret no secret", fmt.Sprint(s, " ", Secret{}))
}
