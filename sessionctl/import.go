package sessionctl

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/sessionctl/archive"
	"github.com/rockstar-web/sessions/stores"
)

var importCommand = Command{
	Name: "import", Args: "FILE|-", Brief: "compare an export with a store, or save its sessions in it",
	About: `Compares an export with the store, and counts. Only with --revive does it write: it saves
the sessions that the store does not have. It never overwrites a session. If the store has
another version of one, the command reports a conflict. It needs no key.

A store does not remember sessions that have ended. So --revive also brings back those
that were logged out after the export, and their old cookies work again.

A FILE is read to its end first: if it is damaged or cut short, nothing is written.
Standard input is saved as it is read. After an interruption, run the command again.
Sessions that expired more than an hour ago are left out.

The exit code is 1 if there are conflicts, or sessions that the store does not have.`,
	Examples: []string{`sessionctl import sessions.rwsexp`, `sessionctl import --revive --store sqlite:new.db sessions.rwsexp`},
	Flags:    importFlags,
}

type importing struct {
	target
	revive bool
}

func importFlags(set *flag.FlagSet) func(context.Context, *Program, []string) error {
	i := &importing{}
	i.target.add(set)
	set.BoolVar(&i.revive, "revive", false, "save the sessions that the store does not have, also those that have ended since the export")
	return i.run
}

func (i *importing) run(ctx context.Context, p *Program, args []string) error {
	if len(args) == 0 {
		return Usagef("import: no file is named; allowed: one FILE, or - for standard input")
	}
	if len(args) > 1 {
		return Usagef("import: the files are %q; allowed: one FILE, or - for standard input", typed(args))
	}
	var src io.Reader = &interruptible{ctx: ctx, src: p.In}
	if args[0] != "-" {
		f, err := os.Open(args[0])
		if err != nil {
			return fmt.Errorf("import: %s: %w", stores.Typed(args[0]), reason(err))
		}
		defer f.Close()
		m := i.meter(p, "reading "+escaped(filepath.Base(args[0])))
		err = verify(ctx, f, m)
		m.done()
		if err != nil {
			return stopped(ctx, "import", fmt.Errorf("%s: %w; nothing was written", args[0], err))
		}
		src = f
	}
	r, err := archive.NewReader(src)
	if err != nil {
		return stopped(ctx, "import", err)
	}
	defer r.Close()
	return i.with(ctx, p, i.revive, func(store hosts.Store) error { return i.bring(ctx, p, store, r) })
}

// verify reads a whole file, and goes back to its beginning.
func verify(ctx context.Context, f *os.File, m *meter) error {
	r, err := archive.NewReader(f)
	if err != nil {
		return err
	}
	defer r.Close()
	for r, err := range contents(ctx, r) {
		if err != nil {
			return err
		}
		m.add(1, shareBefore(r.ID))
	}
	_, err = f.Seek(0, io.SeekStart)
	return err
}

func contents(ctx context.Context, r *archive.Reader) iter.Seq2[core.Record, error] {
	return func(yield func(core.Record, error) bool) {
		for {
			record, err := r.Next()
			if err == io.EOF {
				return
			}
			if err == nil {
				err = ctx.Err()
			}
			if !yield(record, err) || err != nil {
				return
			}
		}
	}
}

// bring saves what is not there, or counts it.
func (i *importing) bring(ctx context.Context, p *Program, store hosts.Store, r *archive.Reader) error {
	expired := core.Time(p.Now().Add(-defaultRetention).UnixMilli())
	m := i.meter(p, "import")
	t := &tally{p: p, json: i.json, meter: m}
	size, atOnce := lotCalls, lotWorkers
	batcher, ok := hosts.As[hosts.Batcher](store)
	if !ok {
		size, atOnce = 1, workers
	}
	err := each(ctx, lots(contents(ctx, r), size), atOnce, func(ctx context.Context, lot []core.Record) error {
		outcomes, err := i.lot(ctx, store, batcher, lot, expired)
		for n, o := range outcomes {
			if o != outcomeFailed {
				err = errors.Join(err, t.add(lot[n].ID, o))
				m.add(1, shareBefore(lot[n].ID))
			}
		}
		return err
	})
	m.done()
	if told := t.tell(i.revive, err == nil); told != nil {
		return told
	}
	switch {
	case ctx.Err() == nil && (errors.Is(err, archive.ErrTruncated) || errors.Is(err, archive.ErrDamaged)):
		return fmt.Errorf("import: %w; the sessions before that are done. Run it again with the whole export", err)
	case err != nil || ctx.Err() != nil:
		return fmt.Errorf("%w; run it again to go on", stopped(ctx, "import", err))
	case !i.revive && t.counts[outcomeNew] > 0:
		return fmt.Errorf("import: nothing was written; not in the store: %s of this export, begun %v, either never there or ended since. "+
			"--revive saves both kinds",
			plural(t.counts[outcomeNew]), moment(r.Began()))
	case t.counts[outcomeConflict] > 0:
		return errFindings
	}
	return nil
}
