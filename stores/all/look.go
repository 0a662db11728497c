package all

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/rockstar-web/sessions/dbstore"
	"github.com/rockstar-web/sessions/dbstore/sqlite"
	"github.com/rockstar-web/sessions/stores"
)

// versions is the table by which dbstore knows a database.
const versions = dbstore.DefaultTable + "_schema"

// isFile looks into the log first: what is moved into the database meanwhile is
// found there.
func isFile(ctx context.Context, path string) error {
	logged, err := contains(path+"-wal", `CREATE TABLE "`+versions+`"`)
	if err != nil || logged {
		return err
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	there, err := sqlite.HasTable(ctx, path, versions)
	switch {
	case err != nil && ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return stores.Absent("%s cannot be read as a database: %w", path, err)
	case !there:
		return stores.Absent("the database %s has no sessions: the table %s is not in it", path, versions)
	}
	return nil
}

// contains looks for a text in a file, which need not be there.
func contains(path, text string) (bool, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer file.Close()
	room := make([]byte, 1<<20)
	for kept := 0; ; {
		n, err := file.Read(room[kept:])
		if bytes.Contains(room[:kept+n], []byte(text)) {
			return true, nil
		}
		if err == io.EOF {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		end := kept + n
		kept = min(end, len(text)-1) // it may stand across two reads
		copy(room, room[end-kept:end])
	}
}
