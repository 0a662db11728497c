package stores

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/fsstore"
	"github.com/rockstar-web/sessions/hosts"
)

func init() {
	Register(Driver{Schemes: []string{"memory"}, Word: "cache", Single: true, Volatile: true, Open: memory, Drop: nothing})
	Register(Driver{Schemes: []string{"file"}, Rest: "DIR", Word: "filesystem", Single: true,
		Dir: fsstore.DefaultDir, Open: files, Exists: isDir, Drop: removeDir})
	Register(Driver{Schemes: []string{"file+shared"}, Rest: "DIR",
		Dir: fsstore.DefaultDir, Open: files, Exists: isDir, Drop: removeDir})
}

func memory(_ context.Context, n Name) (Store, error) {
	if n.Rest != "" {
		return nil, &hosts.ConfigError{Field: "store", Value: "memory:...", Allowed: "memory: with nothing behind it"}
	}
	return cachestore.Open(cachestore.Options{})
}

func nothing(context.Context, Name) error { return nil }

func files(_ context.Context, n Name) (Store, error) {
	dir, err := n.Path(fsstore.DefaultDir)
	if err != nil {
		return nil, err
	}
	return fsstore.Open(fsstore.Options{Dir: dir, Shared: n.Scheme == "file+shared"})
}

func removeDir(_ context.Context, n Name) error {
	dir, err := n.Path(fsstore.DefaultDir)
	if err != nil {
		return err
	}
	return os.RemoveAll(dir)
}

// marks are the files by which fsstore knows its directories.
var marks = []string{"segment-log", "file-per-session"}

func isDir(_ context.Context, dir string) error {
	for _, mark := range marks {
		switch _, err := os.Lstat(filepath.Join(dir, mark)); {
		case err == nil:
			return nil
		case !errors.Is(err, fs.ErrNotExist):
			return err
		}
	}
	return Absent("the directory %s has no sessions: neither the file %s is in it", dir, strings.Join(marks, " nor "))
}
