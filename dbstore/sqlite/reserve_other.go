//go:build !linux

package sqlite

import "os"

func allocate(file *os.File, from, n int64) error {
	_, err := file.WriteAt(make([]byte, n), from)
	return err
}
