package sqlite

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3/vfs"

	"github.com/rockstar-web/sessions/dbstore"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/coalesce"
)

// DefaultBusyTimeout is how long a call waits for another process's lock.
const DefaultBusyTimeout = 5 * time.Second

// readers are the connections that read: one for each processor, 2 to 4.
func readers() int { return min(max(runtime.GOMAXPROCS(0), 2), 4) }

// Options of Open. The zero value is a durable store.
type Options struct {
	// Fast leaves out the sync of Save: a save survives the end of the
	// process, not a power failure. Delete is durable all the same.
	Fast bool
	// BusyTimeout is how long a call waits for a lock of another process
	// before it gets hosts.ErrBusy; its context may end it sooner. Default
	// DefaultBusyTimeout.
	BusyTimeout time.Duration
	// Table and NoMigrate are those of dbstore.Options.
	Table     string
	NoMigrate bool
	// Loads and Saves bound the gathering of calls. By default as many loads go
	// alone as there are connections that read, and one save; those that wait
	// go together.
	Loads, Saves coalesce.Options
}

// Store keeps sessions in a file. It is safe for concurrent use, also by other
// processes that open the same file.
type Store struct {
	*dbstore.Store
	file    *file
	reserve *reserve
}

// Open opens or creates a database file: its directory with mode 0700, the file
// with mode 0600. It refuses a file that is not a database, one that it may not
// write, one whose schema is newer than this program, and a platform without
// file locks (errors.ErrUnsupported).
func Open(ctx context.Context, path string, o Options) (*Store, error) {
	if !vfs.SupportsFileLocking || !vfs.SupportsSharedMemory {
		return nil, fmt.Errorf("dbstore: SQLite: %s has no locks that SQLite could use; use another database: %w", runtime.GOOS, errors.ErrUnsupported)
	}
	if err := o.check(path); err != nil {
		return nil, fmt.Errorf("dbstore: SQLite: %w", err)
	}
	f, err := openFile(path)
	if err != nil {
		return nil, err
	}
	s, err := f.open(ctx, o)
	if err != nil {
		return nil, errors.Join(err, f.close())
	}
	return s, nil
}

func (o *Options) check(path string) error {
	if path == "" || strings.HasPrefix(path, ":") || strings.HasPrefix(path, "file:") || strings.HasPrefix(path, "sqlite:") {
		return &hosts.ConfigError{Field: "path", Value: fmt.Sprintf("%.100s", path),
			Allowed: "the path of a file; names such as sqlite:FILE are for stores.Open, and package cachestore keeps sessions in memory"}
	}
	if o.BusyTimeout == 0 {
		o.BusyTimeout = DefaultBusyTimeout
	}
	if o.BusyTimeout < 0 {
		return &hosts.ConfigError{Field: "BusyTimeout", Value: o.BusyTimeout.String(), Allowed: "a positive duration"}
	}
	return nil
}

// open connects to a file that is there. On a full disk it does so in the room
// that is kept for ends.
func (f *file) open(ctx context.Context, o Options) (*Store, error) {
	r := &reserve{path: f.path + reserveSuffix, mode: f.mode, like: f.path}
	if err := r.open(); err != nil {
		return nil, err
	}
	s, err := f.openWith(ctx, o, r)
	if isFull(err) {
		if released, failed := r.release(); released {
			s, err = f.openWith(ctx, o, r)
		} else {
			err = errors.Join(err, failed)
		}
	}
	return s, err
}

func (f *file) openWith(ctx context.Context, o Options, r *reserve) (*Store, error) {
	d := &dialect{path: f.path, fast: o.Fast, sync: f.sync, own: &prepared{}, reserve: r, same: f.same}
	d.reader = d.connector(setUpReader(o)).open
	write, read := d.pool(1, d.setUpWriter(o)), d.pool(readers(), setUpReader(o))
	// The one that writes settles what the others find: the log, the modes.
	err := connect(ctx, write, 1)
	if err == nil {
		err = connect(ctx, read, readers())
	}
	if err != nil {
		err = d.fail(ctx, "open", err)
		return nil, errors.Join(err, read.Close(), write.Close())
	}
	base, err := dbstore.New(ctx, read, d, dbstore.Options{
		Table: o.Table, NoMigrate: o.NoMigrate, Writer: write, CloseDB: true, Loads: o.Loads, Saves: o.Saves,
	})
	if err != nil {
		return nil, errors.Join(err, read.Close(), write.Close())
	}
	if err := f.opened(); err != nil {
		return nil, errors.Join(err, base.Close())
	}
	return &Store{Store: base, file: f, reserve: r}, nil
}

// Close answers the calls that wait with hosts.ErrClosed, waits for those under
// way and closes the file. The last process to close it moves the log into it.
// Close may be called more than once.
func (s *Store) Close() error {
	s.file.closing.Store(true)
	err := s.Store.Close()
	s.reserve.close()
	return errors.Join(err, s.file.close())
}
