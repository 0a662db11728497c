package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/open"
	"github.com/rockstar-web/sessions/hosts/sessionctl/demo"
)

// Bounds of the examination of a store.
const (
	storeTimeout = 10 * time.Second
	maxSkew      = time.Minute // between clocks that share sessions
	maxFileSkew  = 5 * time.Second
	maxRecords   = 1000 // looked at for times in the future
)

// built is a moment before this program was.
var built = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func (d *doctor) examineStore(ctx context.Context, key []byte) error {
	if d.now().Before(built) {
		d.finding("clock", "set it, and keep it with NTP", "it says %s, which is long ago", d.now().UTC().Format(time.RFC3339))
	}
	dir, isFile := open.Dir(d.store)
	if isFile && !d.examineDir(dir) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	store, closer, err := open.Store(ctx, d.store)
	var refused *hosts.ConfigError
	if errors.As(err, &refused) {
		return usageError{err}
	}
	if err != nil {
		d.finding("store", "see the message", "%v", err)
		return nil
	}
	defer closer.Close() // nothing of ours is in it any more
	start := time.Now()
	if err := scratch(ctx, store, key, d.now()); err != nil {
		d.finding("store", "mend what the message says, then run this again", "a scratch session: %v", err)
	} else {
		d.fine("store", "saved, loaded, changed and deleted a scratch session in %v", time.Since(start).Round(time.Microsecond))
	}
	if !isFile {
		d.note("store", "it is this program's own memory: a server's sessions are lost when it stops, and cannot be seen from here")
		return nil
	}
	d.examineFuture(ctx, store)
	return nil
}

// examineDir reports whether there is a directory to open.
func (d *doctor) examineDir(dir string) bool {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		d.finding("store", "mkdir -m 700 "+dir+", or name the right one with --store", "the directory %s is not there", dir)
		return false
	}
	d.examineMode("store", dir, "0700")
	if path := filepath.Join(dir, demo.KeyFile); exists(path) {
		d.note("key", "%s is the demo's: no server should use it", path)
		d.examineMode("key", path, "0600")
	}
	f, err := os.CreateTemp(dir, "doctor.*")
	if err != nil {
		d.finding("store", "run this as the user that the server runs as, and look for room on the disk", "%v", err)
		return false
	}
	defer os.Remove(f.Name())
	info, err := f.Stat()
	if err = errors.Join(err, f.Close()); err != nil {
		d.finding("store", "look at the disk and its logs", "%v", err)
		return false
	}
	if skew := info.ModTime().Sub(d.now()); skew.Abs() > maxFileSkew {
		d.finding("clock", "keep both with NTP", "the disk's clock differs by %v", skew.Round(time.Second))
	} else {
		d.fine("clock", "agrees with the disk's")
	}
	return true
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// examineFuture looks for sessions that a server used later than now.
func (d *doctor) examineFuture(ctx context.Context, store hosts.Store) {
	finder, ok := store.(hosts.Finder)
	if !ok {
		return
	}
	records, err := finder.Find(ctx, hosts.Query{AnyTenant: true, AnyUser: true}, core.ID{}, maxRecords)
	if err != nil {
		d.finding("store", "see the message", "listing sessions: %v", err)
		return
	}
	ahead := time.Duration(0)
	for _, r := range records {
		ahead = max(ahead, time.UnixMilli(int64(r.SeenAt)).Sub(d.now()))
	}
	if ahead > maxSkew {
		d.finding("clock", "keep the clocks of all servers with NTP", "a session was used %v from now: a server's clock is ahead, or this one behind", ahead.Round(time.Second))
		return
	}
	d.fine("clock", "no session was used later than now; looked at %d", len(records))
}

// scratch holds the store to its contract with one session of nobody's.
func scratch(ctx context.Context, store hosts.Store, key []byte, now time.Time) error {
	m, err := core.NewMachine(core.Policy{}, core.KeyRing{{Bytes: key}})
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

// answered tells that a store broke its contract.
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
