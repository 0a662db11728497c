package open

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/rockstar-web/sessions/dbstore"
	"github.com/rockstar-web/sessions/hosts"
)

// ErrNoStore means that a name leads to no store, or to one whose tables are
// older than this program: to make it or to bring it up to date is for Migrated.
var ErrNoStore = errors.New("no store to open")

// absent is an ErrNoStore that says what is there instead.
type absent struct{ error }

func (a absent) Unwrap() error      { return a.error }
func (absent) Is(target error) bool { return target == ErrNoStore }

func absentf(format string, args ...any) error { return absent{fmt.Errorf(format, args...)} }

// Existing opens the store that a name means as it is: it makes none, and leaves
// the tables of a database alone, whatever the name says. What is no store is
// ErrNoStore, and nothing is written to it. Else it is as Store.
func Existing(ctx context.Context, url string) (hosts.Store, io.Closer, error) {
	if err := Exists(ctx, url); err != nil {
		return nil, nil, err
	}
	s, closer, err := in(ctx, url, asItIs)
	if errors.Is(err, dbstore.ErrNotMigrated) {
		err = absent{err}
	}
	return s, closer, err
}

// Migrated opens the store that a name means, and makes it or brings its tables
// up to date, also where the name has migrate=false. Else it is as Store.
func Migrated(ctx context.Context, url string) (hosts.Store, io.Closer, error) {
	return in(ctx, url, migrated)
}

// Exists looks for the directory or the file of a store, without a trace, and
// returns ErrNoStore where it has none. Of a server it asks nothing.
func Exists(ctx context.Context, url string) error {
	look, path := isDir, ""
	if dir, ok := Dir(url); ok {
		path = dir
	} else if file, ok := File(url); ok {
		look, path = isFile, file
	} else {
		return nil
	}
	switch _, err := os.Stat(path); {
	case errors.Is(err, fs.ErrNotExist):
		return absentf("%s of the store is not there", path)
	case err != nil:
		return err
	}
	return look(ctx, path)
}
