package sessionctl

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/sessionctl/archive"
	"github.com/rockstar-web/sessions/stores"
)

var exportCommand = Command{
	Name: "export", Args: "FILE|-", Brief: "write all sessions to a file, still encrypted",
	About: `Writes all sessions, also expired ones, to a new FILE (mode 0600) or to standard output.
They stay encrypted: the command needs no key, and the file shows no more than the store
does. FILE gets its name when it is complete. An existing file is not overwritten.

Sessions that begin, change or end while it runs may be in the file or not. For a snapshot
of one moment, stop the servers first. A session that ends after the export is still in
the file: see sessionctl help import.`,
	Examples: []string{`sessionctl export sessions.rwsexp`, `sessionctl export - | ssh backup "cat > sessions.rwsexp"`},
	Flags: func(set *flag.FlagSet) func(context.Context, *Program, []string) error {
		t := &target{}
		t.add(set)
		return t.export
	},
}

func (t *target) export(ctx context.Context, p *Program, args []string) error {
	if len(args) == 0 {
		return Usagef("export: no file is named; allowed: one FILE, or - for standard output")
	}
	if len(args) > 1 {
		return Usagef("export: the files are %q; allowed: one FILE, or - for standard output", typed(args))
	}
	path := args[0]
	if path == "" {
		return Usagef(`export: the file is ""; allowed: a FILE, or - for standard output`)
	}
	if path == "-" && isTerminal(p.Out) {
		return Usagef("export: standard output is a terminal; allowed: a file or a pipe")
	}
	if _, err := os.Lstat(path); err == nil && path != "-" {
		return Usagef("export: the file %s exists already; allowed: a new name", stores.Typed(path))
	}
	return t.with(ctx, p, false, func(store hosts.Store) error {
		m := t.meter(p, "export")
		defer m.done()
		written := uint64(0)
		write := func(dst io.Writer) (err error) {
			written, err = writeArchive(ctx, store, dst, core.Time(p.Now().UnixMilli()), m)
			return err
		}
		summary := p.Out
		var err error
		if path == "-" {
			summary, err = p.Err, write(p.Out)
		} else {
			err = newFile(path, write)
		}
		if err != nil && written > 0 {
			err = fmt.Errorf("after %s: %w", plural(int(written)), err)
		}
		if err != nil {
			return stopped(ctx, "export", err)
		}
		m.done()
		told := Program{Out: summary}
		if t.json {
			return told.object(map[string]uint64{"exported": written})
		}
		_, err = fmt.Fprintf(told.Out, "exported %s\n", plural(int(written)))
		return err
	})
}

// writeArchive returns how many sessions it wrote.
func writeArchive(ctx context.Context, store hosts.Store, dst io.Writer, now core.Time, m *meter) (uint64, error) {
	w, err := archive.NewWriter(dst, now)
	if err != nil {
		return 0, err
	}
	for r, err := range walk(ctx, store, hosts.Query{AnyTenant: true, AnyUser: true}) {
		if err == nil {
			err = w.Add(&r)
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return w.Count(), err
		}
		m.add(1, shareBefore(r.ID))
	}
	return w.Count(), w.Close()
}

// newFile makes a file whole and on the disk, or not at all.
func newFile(path string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.partial") // mode 0600
	if err != nil {
		return fmt.Errorf("%s: %w", stores.Typed(path), reason(err))
	}
	defer os.Remove(f.Name())
	err = write(f)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("the file %s was created meanwhile", path)
	} else if err != nil { // a filesystem without links
		if err := os.Rename(f.Name(), path); err != nil {
			return err
		}
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes names durable.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
