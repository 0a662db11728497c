//go:build darwin || freebsd

package slots_test

import "errors"

func mountTmpfs(dir, options string) error { return errors.ErrUnsupported }
func unmount(dir string) error             { return errors.ErrUnsupported }
func remountReadOnly(dir string) error     { return errors.ErrUnsupported }
