package sqlite

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"github.com/ncruces/go-sqlite3"

	"github.com/rockstar-web/sessions/dbstore"
	"github.com/rockstar-web/sessions/hosts"
)

// Remedies that an error of SQLite and one of the operating system share.
const (
	look     = "look at the disk and its logs"
	makeRoom = "free space on its disk, raise the quota, or sweep expired sessions"
	permit   = "run all programs that share it as the user that owns it, and let that user write its directory, too"
	restore  = "it is damaged: restore a backup, or move it away with its -wal and -shm for an empty one"
)

// Fault implements dbstore.Dialect.
func (d *dialect) Fault(err error) dbstore.Fault {
	if isFull(err) {
		return dbstore.Fault{Kind: dbstore.Full, Remedy: makeRoom}
	}
	var code sqlite3.ExtendedErrorCode
	if !errors.As(err, &code) {
		code = codeOf(err.Error())
	}
	switch code.Code() {
	case sqlite3.BUSY, sqlite3.LOCKED, sqlite3.PROTOCOL:
		return dbstore.Fault{Kind: dbstore.Busy, Remedy: "find the process that keeps the file locked, or raise BusyTimeout"}
	case sqlite3.CONSTRAINT:
		if code == sqlite3.CONSTRAINT_UNIQUE {
			return dbstore.Fault{Kind: dbstore.Taken}
		}
		return dbstore.Fault{Kind: dbstore.Refused}
	case sqlite3.READONLY, sqlite3.PERM, sqlite3.AUTH:
		return dbstore.Fault{Kind: dbstore.Denied, Remedy: permit}
	case sqlite3.CANTOPEN:
		return dbstore.Fault{Kind: dbstore.Down, Remedy: permit}
	case sqlite3.CORRUPT, sqlite3.NOTADB:
		return dbstore.Fault{Remedy: restore}
	case sqlite3.ERROR:
		if strings.Contains(err.Error(), "no such table") {
			return dbstore.Fault{Kind: dbstore.Missing, Remedy: "run Migrate"}
		}
		return dbstore.Fault{Kind: dbstore.Refused}
	case sqlite3.TOOBIG:
		return dbstore.Fault{Kind: dbstore.TooLarge}
	}
	return dbstore.Fault{Remedy: look}
}

// codes by what SQLite says, for drivers that this package does not know.
var codes = []struct {
	says string
	code sqlite3.ExtendedErrorCode
}{
	{"is locked", sqlite3.ExtendedErrorCode(sqlite3.BUSY)},
	{"locking protocol", sqlite3.ExtendedErrorCode(sqlite3.PROTOCOL)},
	{"UNIQUE constraint failed", sqlite3.CONSTRAINT_UNIQUE},
	{"constraint failed", sqlite3.ExtendedErrorCode(sqlite3.CONSTRAINT)},
	{"readonly database", sqlite3.ExtendedErrorCode(sqlite3.READONLY)},
	{"unable to open database", sqlite3.ExtendedErrorCode(sqlite3.CANTOPEN)},
	{"malformed", sqlite3.ExtendedErrorCode(sqlite3.CORRUPT)},
	{"not a database", sqlite3.ExtendedErrorCode(sqlite3.NOTADB)},
	{"no such table", sqlite3.ExtendedErrorCode(sqlite3.ERROR)},
	{"too big", sqlite3.ExtendedErrorCode(sqlite3.TOOBIG)},
}

// codeOf is zero for what may be anything.
func codeOf(text string) sqlite3.ExtendedErrorCode {
	for _, c := range codes {
		if strings.Contains(text, c.says) {
			return c.code
		}
	}
	return 0
}

// isFull holds also where there is no room for the index of the log.
func isFull(err error) bool {
	return errors.Is(err, sqlite3.FULL) || errors.Is(err, sqlite3.IOERR_SHMSIZE) || noRoom(err) ||
		err != nil && strings.Contains(err.Error(), "disk is full")
}

// fail gives an error of the operating system its kind and its remedy.
func fail(doing, path string, err error) error {
	kind, remedy := hosts.ErrUnavailable, look
	switch {
	case isFull(err):
		kind, remedy = hosts.ErrFull, makeRoom
	case errors.Is(err, syscall.EROFS):
		kind, remedy = hosts.ErrRefused, "mount it writable, or choose another path"
	case errors.Is(err, fs.ErrPermission):
		kind, remedy = hosts.ErrRefused, permit
	case errors.Is(err, fs.ErrNotExist):
		remedy = "it was removed while in use; restore it, or restart the program"
	}
	return fmt.Errorf("dbstore: SQLite: %s %s: %w: %w; %s", doing, path, kind, err, remedy)
}

// fail gives an error of a first connection its kind and its remedy.
func (d *dialect) fail(ctx context.Context, doing string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("dbstore: %s: %s: %w: %w", d.Name(), doing, ctx.Err(), err)
	}
	kind := hosts.ErrUnavailable
	f := d.Fault(err)
	switch f.Kind {
	case dbstore.Full:
		kind = hosts.ErrFull
	case dbstore.Busy:
		kind = hosts.ErrBusy
	}
	return fmt.Errorf("dbstore: %s: %s: %w: %w; %s", d.Name(), doing, kind, err, cmp.Or(f.Remedy, look))
}
