package dbstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// A statement that the server gave up for the sake of another is done again.
const (
	maxTries  = 6
	firstWait = 2 * time.Millisecond // the mean; doubled after each try
	maxWait   = 64 * time.Millisecond

	// Where transactions are serializable by default, the server aborts some whenever
	// others read and write the same pages. A call is tried again for this long. A delete is
	// tried for longer, because every save of the session may abort it.
	patience    = 2 * time.Second
	endPatience = time.Minute
)

// ErrAlone is what Commands answer for a save that is to be done by itself, since
// it does not fit into a batch or the session has changed between two looks.
var ErrAlone = errors.New("the session is to be saved by itself")

// ErrNotMigrated means that the tables are missing, or older than this program,
// and that it may not mend that itself: Options.NoMigrate.
var ErrNotMigrated = errors.New("NoMigrate is set")

// Settle answers a save that has written nothing, by the version that is stored,
// none if it is gone: it succeeded before, conflicts, or would find now what it
// did not find. So does an insert that is repeated: its ID was taken, and the
// session has ended meanwhile.
func Settle(s hosts.Saving, stored core.Version) error {
	switch stored {
	case s.Record.Version:
		return nil
	case s.Prev:
		return ErrAlone
	}
	return core.ErrConflict
}

// again does it until the server no longer says that the same may succeed.
// Nothing of a failed try is applied, so that inserts are done again, too.
func (b *backend) again(ctx context.Context, do func() error) error {
	return b.keepOn(ctx, patience, do)
}

// keepOn is again for as long as that, and maxTries at least.
func (b *backend) keepOn(ctx context.Context, long time.Duration, do func() error) error {
	wait := firstWait
	start := time.Now()
	for try := 1; ; try++ {
		err := do()
		if err == nil || ended(ctx) != nil || try >= maxTries && time.Since(start) >= long || b.fault(err).Kind != Retry {
			return err
		}
		select {
		case <-time.After(rand.N(2 * wait)):
		case <-ctx.Done():
			return err
		}
		wait = min(2*wait, maxWait)
	}
}

// ended is ctx.Err, a little earlier: drivers set the deadline of a context on
// their connections, whose clock may be the first to go off.
func ended(ctx context.Context) error {
	err := ctx.Err()
	if deadline, ok := ctx.Deadline(); err == nil && ok && !time.Now().Before(deadline) {
		err = context.DeadlineExceeded
	}
	return err
}

// fault asks the dialect about an error that is the driver's.
func (b *backend) fault(err error) Fault {
	if errors.Is(err, ErrAlone) {
		return Fault{Kind: Retry}
	}
	if own(err) {
		return Fault{Kind: Refused}
	}
	return b.dialect.Fault(err)
}

// own reports whether an error is not the driver's.
func own(err error) bool {
	for _, e := range []error{sql.ErrNoRows, core.ErrNotFound, hosts.ErrClosed, core.ErrConflict, core.ErrCorrupt, core.ErrTooLarge, hosts.ErrUnavailable, hosts.ErrBusy, hosts.ErrFull} {
		if errors.Is(err, e) {
			return true
		}
	}
	var c *hosts.ConfigError
	return errors.As(err, &c)
}

// remedies are what to do where the dialect knows nothing better.
var remedies = map[Kind]string{
	Lost:     "look at the database server and the network",
	Retry:    "other programs change the same sessions all the time",
	Refused:  "look at the table for constraints and triggers that are not of its schema",
	TooLarge: "keep less in sessions, or raise the limit",
	Full:     "make room on the disk of the database server",
	Busy:     "allow more connections, or find out what holds its locks",
	Missing:  "run Migrate, or have the schema created; if only this table is gone, drop its companion _schema before",
	Denied:   "grant SELECT, INSERT, UPDATE and DELETE on the table, on a server that takes writes",
	Down:     "look at the address, the login and the database server",
}

// fail wraps an error of the driver in the backend's name, the remedy and what
// a host makes of it. Answers of the contract pass as they are.
func (b *backend) fail(ctx context.Context, verb string, err error) error {
	switch {
	case err == nil || errors.Is(err, core.ErrConflict):
		return err
	case ended(ctx) != nil:
		return fmt.Errorf("dbstore: %s: %s: %w: %w", b.dialect.Name(), verb, ended(ctx), err)
	case own(err):
		return fmt.Errorf("dbstore: %s: %s: %w", b.dialect.Name(), verb, err)
	}
	f := b.fault(err)
	var as error = hosts.ErrUnavailable
	switch f.Kind {
	case Full:
		as = hosts.ErrFull
	case Busy, Retry:
		as = hosts.ErrBusy
	case TooLarge:
		as = core.ErrTooLarge
	case Taken, Refused, Missing, Denied, Down:
		as = hosts.ErrRefused
	}
	if f.Remedy == "" {
		f.Remedy = remedies[f.Kind]
	}
	return fmt.Errorf("dbstore: %s: %s: %w: %w; %s", b.dialect.Name(), verb, as, err, f.Remedy)
}

// batchFailed is fail for a command of many calls. Only what a part of them may
// have caused is worth doing again in halves.
func (b *backend) batchFailed(ctx context.Context, verb string, err error) error {
	if err == nil {
		return nil
	}
	named := b.fail(ctx, verb, err)
	if ended(ctx) != nil {
		return named
	}
	switch b.fault(err).Kind {
	case Retry, Taken, Refused, TooLarge:
		return fmt.Errorf("%w: %w", hosts.ErrBatch, named)
	}
	return named
}
