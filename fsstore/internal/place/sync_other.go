//go:build !linux

package place

import "os"

// SyncData makes what was written to f survive a power failure.
func SyncData(f *os.File) error { return f.Sync() }
