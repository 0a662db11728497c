//go:build !unix

package sqlite

const noFollow = 0

func trusted(string) error { return nil }
