package filled

import (
	"context"
	"fmt"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// passes begin with changes: by the time of the loads each side has had the same
// share of a server's memory.
var passes = []pass{
	{[]string{"replace"}, true, saves(false)},
	{[]string{"touch"}, false, saves(true)},
	{[]string{"load"}, false, loads},
	{[]string{"find"}, false, finds(false)},
	{[]string{"find-1000"}, false, finds(true)},
	{[]string{"insert", "delete", "sweep"}, true, lifecycle},
}

func loads(ctx context.Context, s *side, span time.Duration) ([]work, error) {
	return only(during(s.callers, span, func(c int) (int, error) {
		ids := make([]core.ID, s.batch)
		for i := range ids {
			ids[i] = id(s.any(c, s.callers))
		}
		return len(ids), s.load(ctx, ids)
	}))
}

func saves(touch bool) func(context.Context, *side, time.Duration) ([]work, error) {
	return func(ctx context.Context, s *side, span time.Duration) ([]work, error) {
		return only(during(s.callers, span, func(c int) (int, error) {
			batch := make([]hosts.Saving, s.batch)
			for i := range batch {
				n := s.any(c, s.callers)
				r, prev := s.next(n, touch)
				batch[i] = hosts.Saving{Record: r, Prev: prev, Touch: touch}
				s.versions[n] = r.Version
			}
			return len(batch), s.save(ctx, batch)
		}))
	}
}

// finds lists the sessions of one user, of few or of a thousand.
func finds(many bool) func(context.Context, *side, time.Duration) ([]work, error) {
	return func(ctx context.Context, s *side, span time.Duration) ([]work, error) {
		if s.list == nil {
			return []work{{}}, nil
		}
		n := s.listers
		if n == 0 {
			n = s.callers
		}
		return only(during(n, span, func(int) (int, error) {
			tenant, user, limit := "tenant-0", "crowd", crowd
			for !many && (user == "crowd" || user == "") {
				tenant, user = s.owner(s.any(0, 1))
				limit = 100
			}
			found, err := s.list(ctx, tenant, user, limit)
			if err == nil && found == 0 {
				err = fmt.Errorf("user %q of tenant %q has no session", user, tenant)
			}
			return 1, err
		}))
	}
}

// lifecycle inserts for a span, deletes half of that or as much as a span allows,
// and sweeps the rest: the store stays as full as it was.
func lifecycle(ctx context.Context, s *side, span time.Duration) ([]work, error) {
	made := make([][]core.ID, s.callers)
	inserts, err := during(s.callers, span, func(c int) (int, error) {
		batch := make([]hosts.Saving, s.batch)
		for i := range batch {
			batch[i].Record = s.fresh()
			made[c] = append(made[c], batch[i].Record.ID)
		}
		return len(batch), s.save(ctx, batch)
	})
	if err != nil {
		return nil, err
	}
	half := make([]int, s.callers)
	for c := range made {
		half[c] = (len(made[c]) + 1) / 2
	}
	remove := func(c int) (int, error) {
		n := min(s.batch, half[c])
		ids := made[c][:n]
		made[c], half[c] = made[c][n:], half[c]-n
		if n == 0 {
			return 0, nil
		}
		return n, s.remove(ctx, ids)
	}
	deletes, err := during(s.callers, span, remove)
	if err != nil {
		return nil, err
	}
	if s.sweep == nil {
		for c := range made {
			half[c] = len(made[c])
		}
		_, err = during(s.callers, time.Hour, remove)
		return []work{inserts, deletes, {}}, err
	}
	sweeps, err := during(1, time.Hour, func(int) (int, error) { return s.sweep(ctx, s.soon(), sweepPage) })
	return []work{inserts, deletes, sweeps}, err
}
