//go:build !unix

package owner

import (
	"io/fs"
	"os"
)

// Give does nothing here.
func Give(*os.File, fs.FileInfo) {}

// Mkdir makes a directory, as os.Mkdir does.
func Mkdir(dir string) error { return os.Mkdir(dir, 0o700) }
