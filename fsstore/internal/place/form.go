package place

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/rockstar-web/sessions/hosts"
)

// Form is the way in which a directory keeps sessions. An empty file of that
// name in the directory says which.
type Form string

// The forms.
const (
	Log   Form = "segment-log"      // of one process
	Slots Form = "file-per-session" // of any number
)

// Claim takes the directory for a form until it is closed, and marks one that is
// new. A log excludes every other process, slots exclude only a log.
func (d *Dir) Claim(form Form) error {
	locked, err := lockFor(d.Self, form)
	if err != nil {
		return Fail("lock Dir", d.Path, err)
	}
	is, marked, err := d.form()
	if err != nil {
		return Fail("read Dir", d.Path, err)
	}
	switch {
	case is != "" && is != form && form == Log:
		return refuse(d.Path, "false", "holds a file for each session", "true (file+shared:), or another Dir")
	case is != "" && is != form:
		return refuse(d.Path, "true", "holds the segment log of one process", "false (file:), or another Dir")
	case !locked && form == Log:
		return refuse(d.Path, "false", "is open in another process, and a log has one process: stop that one",
			"true (file+shared:) in all processes, with a fresh Dir")
	case !locked:
		return Unavailable(d.Path, "is being opened as a segment log; use another Dir for several processes")
	case !marked:
		return d.mark(form)
	}
	return nil
}

func refuse(dir, shared, what, allowed string) error {
	return fmt.Errorf("fsstore: Dir %s %s: %w", dir, what, &hosts.ConfigError{Field: "Shared", Value: shared, Allowed: allowed})
}

// form returns the form of what is there, "" if nothing is, and whether it is
// marked: directories of file-per-session are older than the mark.
func (d *Dir) form() (is Form, marked bool, err error) {
	for _, form := range []Form{Log, Slots} {
		_, err := d.Root.Lstat(string(form))
		if err == nil {
			return form, true, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", false, err
		}
	}
	names, err := fs.ReadDir(d.Root.FS(), ".")
	for _, entry := range names {
		if b, err := hex.DecodeString(entry.Name()); err == nil && len(b) == 1 && entry.IsDir() {
			return Slots, false, nil
		}
	}
	return "", false, err
}

func (d *Dir) mark(form Form) error {
	f, err := d.Root.OpenFile(string(form), os.O_WRONLY|os.O_CREATE|OpenFlags, 0o600)
	if err == nil {
		d.Give(f)
		err = errors.Join(f.Close(), d.Self.Sync())
	}
	if err != nil {
		return Fail("write in Dir", d.Path, err)
	}
	return nil
}
