package sessionctl

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// scratch holds the store to its contract with one session of nobody's.
func scratch(ctx context.Context, store hosts.Store, keys core.KeyRing, now time.Time) error {
	m, err := core.NewMachine(core.Policy{}, keys)
	if err != nil {
		return err
	}
	at := core.Time(now.UnixMilli())
	commit := func(s *core.Session) (core.Effects, error) {
		var seed core.Seed
		rand.Read(seed[:]) // never fails
		if err := s.Keep(seed); err != nil {
			return core.Effects{}, err
		}
		if err := s.Refresh(); err != nil {
			return core.Effects{}, err
		}
		return m.Commit(s, at, seed)
	}
	first, err := commit(m.New(core.Request{}))
	if err != nil {
		return err
	}
	second, err := commit(first.Next)
	if err != nil {
		return err
	}
	if err := store.Save(ctx, *first.Save, core.NoVersion); err != nil {
		return fmt.Errorf("save: %w", err)
	}
	err = exercise(ctx, store, *first.Save, *second.Save)
	if deleted := store.Delete(context.WithoutCancel(ctx), first.Save.ID); deleted != nil {
		return errors.Join(err, fmt.Errorf("delete: %w", deleted))
	}
	if err != nil {
		return err
	}
	if err := store.Save(ctx, *first.Save, second.Save.Version); !errors.Is(err, core.ErrConflict) {
		return answered("save after delete", err)
	}
	if _, err := store.Load(ctx, first.Save.ID); !errors.Is(err, core.ErrNotFound) {
		return answered("load after delete", err)
	}
	return nil
}

// answered reports that a store broke its contract.
func answered(what string, err error) error {
	if err == nil {
		return fmt.Errorf("%s succeeds: the store loses updates and brings ended sessions back", what)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// exercise goes from one stored state of a session to the next.
func exercise(ctx context.Context, store hosts.Store, first, second core.Record) error {
	if err := store.Save(ctx, second, first.Version); err != nil {
		return fmt.Errorf("second save: %w", err)
	}
	third := first
	third.Version = second.Version ^ 1<<40 // any other
	if err := store.Save(ctx, third, first.Version); !errors.Is(err, core.ErrConflict) {
		return answered("save over a version that is gone", err)
	}
	got, err := store.Load(ctx, first.ID)
	if err != nil {
		return fmt.Errorf("load: %w", err)
	}
	if got.Version != second.Version || !bytes.Equal(got.Sealed, second.Sealed) {
		return errors.New("load: another state than was saved last")
	}
	return nil
}
