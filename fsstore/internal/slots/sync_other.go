//go:build !linux

package slots

import "os"

func datasync(file *os.File) error { return file.Sync() }
