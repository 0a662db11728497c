package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/conformance/servers"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/dbstore"
	"github.com/rockstar-web/sessions/internal/soak"
)

// life is the session of one writer: what was acknowledged last, and what was
// asked for since, without an answer.
type life struct {
	stored, asked core.Record
	ended, ending bool
}

// step saves a next state, or ends the session now and then.
func (l *life) step(ctx context.Context, s *dbstore.Store, n int) error {
	if l.ended {
		*l = life{}
	}
	if l.stored.Version != core.NoVersion && n%7 == 6 {
		l.ending = true
		if err := s.Delete(ctx, l.stored.ID); err != nil {
			return err
		}
		l.ended, l.ending = true, false
		return nil
	}
	prev := l.stored.Version
	l.asked = l.stored
	if prev == core.NoVersion {
		l.asked = core.Record{ID: randomID(), User: "ada", CreatedAt: core.Day, SeenAt: core.Day, ExpiresAt: 2 * core.Day}
	}
	l.asked.Version = randomVersion()
	l.asked.Sealed = fmt.Appendf(nil, "sealed %d", l.asked.Version)
	if err := s.Save(ctx, l.asked, prev); err != nil {
		return err
	}
	l.stored, l.asked = l.asked, core.Record{}
	return nil
}

// settle holds what is stored to what was acknowledged and what may have been
// applied, and goes on from there.
func (l *life) settle(t *testing.T, s *dbstore.Store) {
	id := l.stored.ID
	if id.IsZero() {
		id = l.asked.ID
	}
	if id.IsZero() {
		return
	}
	got, err := s.Load(t.Context(), id)
	switch {
	case errors.Is(err, core.ErrNotFound):
		require.True(t, l.ended || l.ending || l.stored.Version == core.NoVersion, "an acknowledged session is gone")
		*l = life{}
		return
	case err != nil:
		require.NoError(t, err)
	}
	require.False(t, l.ended, "an ended session is back")
	require.Contains(t, []core.Version{l.stored.Version, l.asked.Version}, got.Version, "an acknowledged save is lost")
	require.Equal(t, fmt.Sprintf("sealed %d", got.Version), string(got.Sealed))
	*l = life{stored: got}
}

// The server is killed while it is written to: what it had acknowledged is there,
// and what had ended is not.
func TestAcknowledgedSavesSurviveAServerThatIsKilled(t *testing.T) {
	const writers, acksBetween = 16, 200
	server := servers.NewPostgres(t)
	var s *dbstore.Store
	open := func() (err error) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if s == nil {
			s, err = Open(ctx, server.URL(), Options{Fast: true})
			return err
		}
		_, err = s.Load(ctx, core.ID{1})
		if errors.Is(err, core.ErrNotFound) {
			return nil
		}
		return err
	}
	server.Start(open)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	var lives [writers]life
	var acknowledged atomic.Int64
	total := soak.Rounds(t, 3, 200)
	for n := range total {
		var all sync.WaitGroup
		goal := acknowledged.Load() + acksBetween + int64(n%17)
		enough := make(chan struct{})
		var once sync.Once
		for w := range lives {
			all.Go(func() {
				for step := w; lives[w].step(t.Context(), s, step) == nil; step++ {
					if acknowledged.Add(1) >= goal {
						once.Do(func() { close(enough) })
					}
				}
			})
		}
		<-enough
		server.Kill()
		all.Wait()
		server.Start(open)
		for w := range lives {
			lives[w].settle(t, s)
		}
	}
	t.Logf("%d kills, %d answers, none lost", total, acknowledged.Load())
}
