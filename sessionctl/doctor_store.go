package sessionctl

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/stores"
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

func (d *doctor) examineStore(ctx context.Context, keys core.KeyRing) error {
	if d.Now().Before(built) {
		d.finding("clock", "set it, and keep it with NTP", "it is set to %s, which is long ago", d.Now().UTC().Format(time.RFC3339))
	}
	dir, isDir := stores.Dir(d.store)
	file, isFile := stores.File(d.store)
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	if err := stores.Exists(ctx, d.store); err != nil {
		return d.notOpened(err)
	}
	if isDir && !d.examineDir(dir) || isFile && !d.examineFile(file) {
		return nil
	}
	start := time.Now()
	store, closer, err := stores.OpenExisting(ctx, d.store)
	if err != nil {
		return d.notOpened(err)
	}
	defer closer.Close() // nothing of ours is in it any more
	d.fine("store", "opened in %v", time.Since(start).Round(time.Millisecond))
	d.examinePolicy(ctx, store)
	start = time.Now()
	if err := scratch(ctx, store, keys, d.Now()); err != nil {
		d.finding("store", "fix what the message says, then run this again", "a test session: %v", err)
	} else {
		d.fine("store", "saved, loaded, changed and deleted a test session in %v", time.Since(start).Round(time.Microsecond))
	}
	d.examineRetention(ctx, store)
	if d.store == "memory:" || d.store == "cache" {
		d.note("store", "it is this program's own memory: a server's sessions are lost when it stops, and cannot be seen from here")
		return nil
	}
	d.examineFuture(ctx, store)
	d.examineFeed(ctx, store)
	return nil
}

// notOpened returns the error of a name that nobody could open.
func (d *doctor) notOpened(err error) error {
	var usage usageError
	switch {
	case errors.As(opened(err), &usage):
		return usage
	case errors.Is(err, stores.ErrNoStore):
		d.finding("store", remedyNoStore, "%v", err)
	case errors.Is(err, fs.ErrPermission):
		d.finding("store", "run this as the user that the server runs as", "%v", err)
	default:
		d.finding("store", "see the message", "%v", err)
	}
	return nil
}

// examinePolicy asks stores that know what else may be wrong with them.
func (d *doctor) examinePolicy(ctx context.Context, store hosts.Store) {
	if _, ok := hosts.As[migrator](store); ok {
		d.fine("store", "its schema is the one of this program") // or it would not have opened
	}
	checker, ok := hosts.As[interface{ Check(context.Context) error }](store)
	if !ok {
		return
	}
	if err := checker.Check(ctx); err != nil {
		d.finding("store", "see the message, or ask the operator of the server", "%v", err)
	} else {
		d.fine("store", "it drops no sessions to make room")
	}
}

// examineDir reports whether this process can open a directory.
func (d *doctor) examineDir(dir string) bool {
	d.examineMode("store", dir, 0o700)
	d.examineDemoKey(dir)
	return d.examineDisk(dir)
}

// examineDemoKey looks for the key that the demo keeps where its sessions are.
func (d *doctor) examineDemoKey(dir string) {
	if path := filepath.Join(dir, DevelopmentKeyFile); exists(path) {
		d.note("key", "%s is the demo's: no server should use it", path)
		d.examineMode("key", path, 0o600)
	}
}

// examineFile reports whether this process can open an embedded database.
func (d *doctor) examineFile(path string) bool {
	d.examineMode("store", path, 0o600)
	d.examineDemoKey(filepath.Dir(path))
	return d.examineDisk(filepath.Dir(path))
}

// examineDisk reports whether this process can write where the sessions are.
func (d *doctor) examineDisk(dir string) bool {
	f, err := os.CreateTemp(dir, "doctor.*")
	if err != nil {
		d.finding("store", "run this as the user that the server runs as, and check the free space of the disk", "%v", err)
		return false
	}
	defer os.Remove(f.Name())
	info, err := f.Stat()
	if err = errors.Join(err, f.Close()); err != nil {
		d.finding("store", "check the disk and its logs", "%v", err)
		return false
	}
	if skew := info.ModTime().Sub(d.Now()); skew.Abs() > maxFileSkew {
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

// examineRetention finds a server that forgets by a clock which is far ahead: a
// session that has just run out must be there still, so that its reason can be shown.
func (d *doctor) examineRetention(ctx context.Context, store hosts.Store) {
	at := core.Time(d.Now().UnixMilli())
	r := core.Record{Version: 1, CreatedAt: at, SeenAt: at, ExpiresAt: at - core.Second}
	rand.Read(r.ID[:]) // never fails
	err := store.Save(ctx, r, core.NoVersion)
	if err == nil {
		_, err = store.Load(ctx, r.ID)
	}
	switch err = errors.Join(err, store.Delete(context.WithoutCancel(ctx), r.ID)); {
	case errors.Is(err, core.ErrNotFound):
		d.finding("clock", "keep the server's clock and this one with NTP, and the retention at a minute or more",
			"the store has removed a session that expired a second ago")
	case err != nil:
		d.finding("store", "see the message", "an expired session: %v", err)
	default:
		d.fine("clock", "a session that expired a second ago is still there")
	}
}

// examineFuture looks for sessions that a server used later than now.
func (d *doctor) examineFuture(ctx context.Context, store hosts.Store) {
	finder, ok := hosts.As[hosts.Finder](store)
	if !ok {
		return
	}
	records, err := finder.Find(ctx, hosts.Query{AnyTenant: true, AnyUser: true}, core.ID{}, maxRecords)
	if err != nil {
		d.finding("store", "see the message", "sessions cannot be listed: %v", err)
		return
	}
	ahead := time.Duration(0)
	for _, r := range records {
		ahead = max(ahead, time.UnixMilli(int64(r.SeenAt)).Sub(d.Now()))
	}
	if ahead > maxSkew {
		d.finding("clock", "keep the clocks of all servers with NTP", "a session was last used %v in the future: the clock of a server is ahead, or this one is behind", ahead.Round(time.Second))
		return
	}
	d.fine("clock", "no session was last used in the future; %d checked", len(records))
}
