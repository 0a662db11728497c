package mission

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/stretchr/testify/require"
)

// cleanup requires CleanupExpired to remove so many, or to tell that there is
// nothing for it to do.
func (s *site) cleanup(want int) {
	s.t.Helper()
	n, err := s.manager.CleanupExpired(s.t.Context())
	if s.b.forgets {
		require.ErrorIs(s.t, err, hosts.ErrNoSweeper)
		want = 0
	} else {
		require.NoError(s.t, err)
	}
	require.Equal(s.t, want, n)
}

const (
	retention = time.Hour              // of the stores that forget
	soon      = 2 * time.Second        // in which a session of the test is forgotten
	skew      = 250 * time.Millisecond // of a server's clock
)

// forgetsByItself is what rows about cleanups come to where the store forgets
// by itself and by its own clock: a session is gone at its end and a retention,
// not before, and not if it was used meanwhile. Nothing is swept.
func forgetsByItself(t *testing.T, b backend, c hosts.Config) {
	lives := c.IdleTimeout
	if lives == 0 {
		lives = 24 * time.Hour
	}
	due := time.Now().Add(soon)
	past := newClock()
	past.now.Store(due.Add(-lives - retention).UnixMilli())
	c.Clock = past
	s := open(t, b, setup{Config: c})
	ann, ben := s.browser(), s.browser()
	old, used := ann.login("/verbs", "ann"), ben.login("/middleware", "ben")
	past.pass(lives / 2)
	ben.post("/middleware/refresh").is(http.StatusOK)
	require.Eventually(t, func() bool {
		_, err := s.stored(old)
		return errors.Is(err, core.ErrNotFound)
	}, patience, 10*time.Millisecond)
	require.Less(t, time.Until(due), skew, "forgotten too early: its reason could no longer be told")
	r, err := s.stored(used)
	require.NoError(t, err)
	require.Equal(t, "ben", r.User)
	s.cleanup(0)
	for _, e := range s.told() {
		require.NotEqual(t, hosts.EventSwept, e.Kind)
	}
}
