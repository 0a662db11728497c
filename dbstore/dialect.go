package dbstore

import (
	"context"
	"database/sql"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/coalesce"
)

// Dialect is what one database does otherwise than another. It is safe for
// concurrent use and serves any number of stores.
type Dialect interface {
	// Name begins the errors: "PostgreSQL".
	Name() string
	// Syntax of the statements that all databases share.
	Syntax() Syntax
	// Create returns the statements that make the newest version of the schema
	// where there is none, and Upgrades at [i] those that lead from version
	// i+1 to version i+2. A database whose Exclusive is no transaction must
	// take them twice.
	Create(t Table) []string
	Upgrades(t Table) [][]string
	// Exclusive calls do while no other process is within Exclusive for the
	// same table, and everything do executes on c is undone if do fails and
	// the database can undo it. It returns the error of do as it is.
	Exclusive(ctx context.Context, c *sql.Conn, t Table, do func(context.Context) error) error
	// Commands returns what works on many records at once. It is called once
	// for a store, before its table is made, and may ask the server for its
	// settings and refuse them.
	Commands(ctx context.Context, db DB, t Table) (Commands, error)
	// Fault says what an error of the driver means. It is never called with
	// sql.ErrNoRows or while the caller's context has ended.
	Fault(err error) Fault
}

// DB is a store's two ways to its database; most have one for both.
type DB struct {
	Read  *sql.DB
	Write *sql.DB // also for a sweep
}

// Commands are the statements that work on many records.
type Commands interface {
	// LoadMany returns those that are there, in any order. An ID may repeat.
	LoadMany(ctx context.Context, ids []core.ID) ([]core.Record, error)
	// SaveMany answers saves[i] at [i]: nil, core.ErrConflict, ErrAlone, or an
	// error that concerns this record alone. The records are checked, their IDs distinct and
	// in order. An error takes all of them: it must be one of the server's,
	// with nothing applied, whenever Fault says so.
	SaveMany(ctx context.Context, saves []hosts.Saving) ([]error, error)
	// RemoveMany deletes those that are there, whole or not at all, as durably as
	// the database can. The IDs are distinct, in order, and at most maxRemove.
	RemoveMany(ctx context.Context, ids []core.ID) error
	// SweepSome looks at up to look of the records that are due: of a bucket not
	// above that of before, and either of an expiry before, or of one in a later
	// bucket. It deletes up to limit of the first, testing the expiry again in
	// the statement that deletes, and moves the bucket of the others up to that of
	// their expiry. Seen < look means that it has looked at all.
	SweepSome(ctx context.Context, before core.Time, look, limit int) (seen, deleted int, err error)
	// Close frees what Commands holds, not the databases.
	Close() error
}

// Loader, Saver and Remover are implemented by Commands that work on one record
// otherwise than by the shared statement, to be faster or more durable.
type (
	Loader interface {
		// Load returns core.ErrNotFound for one that is not there.
		Load(ctx context.Context, id core.ID) (core.Record, error)
	}
	Saver interface {
		// Save answers as SaveMany does for a batch of one.
		Save(ctx context.Context, s hosts.Saving) error
	}
	Remover interface {
		Remove(ctx context.Context, id core.ID) error
	}
)

// Syntax is how the shared statements are written, and what suits the database.
type Syntax struct {
	Quote     string // of identifiers
	Numbered  bool   // arguments are $1, $2, else ?
	Qualified bool   // a table may be named schema.table
	Least     string // function that returns the smaller of two numbers
	OnTaken   string // ends an INSERT so that a taken ID affects no row; empty: it fails with Taken
	OnTouch   string // ends the WHERE of an UPDATE that only notes a use
	OnDelete  string // ends the WHERE of a DELETE that ends a session
	ByOwner   string // follows the table's name where sessions of one user are asked for
	Prepare   bool   // statements are prepared by database/sql; else the driver does that or need not

	Loads      coalesce.Options // defaults for this database
	Saves      coalesce.Options
	SweepBatch int     // records that one SweepSome looks at
	SweepRest  float64 // pause after each, in times of how long it took, at most MaxSweepRest
}

// MaxSweepRest is the longest pause between two batches of a sweep.
const MaxSweepRest = 100 * time.Millisecond

// Kind sorts the errors of drivers.
type Kind int

// The kinds of a Fault. After one from Retry to Denied the server has applied
// nothing of the statement or the transaction.
const (
	Lost     Kind = iota // the connection broke, or nothing is known: it may have been applied
	Retry                // serialization or deadlock: the same again may succeed
	Taken                // an INSERT found its ID
	Refused              // the server takes none of this; a part of it may do
	TooLarge             // a statement is over a limit of the server
	Full                 // no space
	Busy                 // too many connections, a lock was not to be had
	Missing              // no such table
	Denied               // a permission is missing, or the server only reads
	Down                 // nothing was sent: nobody answers, or the login failed
)

// Fault is what an error of the driver means, and what to do about it.
type Fault struct {
	Kind   Kind
	Remedy string // for people; empty: the default of the kind
}
