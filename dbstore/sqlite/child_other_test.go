//go:build !unix

package sqlite_test

import "errors"

func noUmask() {}

func become(int) error { return errors.ErrUnsupported }
