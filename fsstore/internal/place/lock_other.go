//go:build !(darwin || freebsd || linux)

package place

import (
	"errors"
	"os"
)

// Open refuses before any of the rest is called.
const (
	supported = false
	OpenFlags = 0
)

func TryLock(*os.File) (bool, error)           { return false, errors.ErrUnsupported }
func lockFor(*os.File, Form) (bool, error)     { return false, errors.ErrUnsupported }
func Unlock(*os.File)                          {}
func IsFull(error) bool                        { return false }
func isReadOnly(error) bool                    { return false }
func isTooManyOpen(error) bool                 { return false }
func networkFilesystem(string) (string, error) { return "", errors.ErrUnsupported }
