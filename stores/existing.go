package stores

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/rockstar-web/sessions/hosts"
)

// ErrNoStore means that a name leads to no store, or to one whose tables are
// older than this program. OpenMigrated makes it or brings it up to date.
var ErrNoStore = errors.New("no store to open")

// absent is an ErrNoStore that says what is there instead.
type absent struct{ error }

func (a absent) Unwrap() error      { return a.error }
func (absent) Is(target error) bool { return target == ErrNoStore }

// Absent returns an [ErrNoStore] with a text: for [Driver].Exists and Open.
func Absent(format string, args ...any) error { return absent{fmt.Errorf(format, args...)} }

// OpenExisting opens the store that a name means as it is: it makes none, and leaves
// the tables of a database alone, whatever the name says. What is no store is
// ErrNoStore, and nothing is written to it. Else it is as Open.
func OpenExisting(ctx context.Context, name string) (hosts.Store, io.Closer, error) {
	if err := Exists(ctx, name); err != nil {
		return nil, nil, err
	}
	return in(ctx, name, Never)
}

// OpenMigrated opens the store that a name means, and makes it or brings its tables
// up to date, also where the name has migrate=false. Else it is as Open.
func OpenMigrated(ctx context.Context, name string) (hosts.Store, io.Closer, error) {
	return in(ctx, name, Migrated)
}

// Exists looks for the directory or the file of a store, without a trace, and
// returns ErrNoStore where it has none. Of a server it asks nothing.
func Exists(ctx context.Context, name string) error {
	path, ok := Dir(name)
	if !ok {
		path, ok = File(name)
	}
	if !ok {
		return nil
	}
	switch _, err := os.Stat(path); {
	case errors.Is(err, fs.ErrNotExist):
		return Absent("there is no store at %s", Typed(path))
	case err != nil:
		return err
	}
	d, _, err := find(name)
	if err != nil {
		return err
	}
	return d.Exists(ctx, path)
}
