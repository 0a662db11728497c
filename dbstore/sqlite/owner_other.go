//go:build !unix

package sqlite

import "os"

func giveLike(*os.File, string) {}

func makeOne(dir string) error { return os.Mkdir(dir, 0o700) }
