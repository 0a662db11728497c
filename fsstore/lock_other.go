//go:build !(darwin || freebsd || linux)

package fsstore

import (
	"errors"
	"os"
)

// Open refuses before any of the rest is called.
const (
	supported = false
	openFlags = 0
)

func tryLock(*os.File) (bool, error)           { return false, errors.ErrUnsupported }
func unlock(*os.File)                          {}
func isFull(error) bool                        { return false }
func isReadOnly(error) bool                    { return false }
func isTooManyOpen(error) bool                 { return false }
func networkFilesystem(string) (string, error) { return "", errors.ErrUnsupported }
