package soak_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/internal/soak"
)

// logged has the log of a test.
type logged struct {
	testing.TB
	said bytes.Buffer
}

func (l *logged) Helper()                    {}
func (l *logged) Log(args ...any)            { l.said.WriteString(args[0].(string)) }
func (l *logged) Logf(text string, _ ...any) { l.said.WriteString(text) }

func TestSoak(t *testing.T) {
	for value, long := range map[string]bool{"": false, "1": true} {
		t.Setenv("SOAK", value)
		require.Equal(t, long, soak.On())
		l := &logged{TB: t}
		rounds, short := soak.Rounds(l, 3, 300), soak.Unless(l, "brief")
		if long {
			require.Equal(t, 300, rounds)
			require.Empty(t, short)
			require.Contains(t, l.said.String(), soak.Marker)
		} else {
			require.Equal(t, 3, rounds)
			require.Equal(t, []string{"brief"}, short)
			require.Empty(t, l.said.String())
		}
	}
}
