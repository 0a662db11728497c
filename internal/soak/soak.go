// Package soak tells tests whether this is `make soak`, which sets SOAK in the
// environment. Every test has a short form, which `make test` runs; the long form
// of some has more rounds, more kills, larger stores, or more cases of the kit. The
// checks and their bounds are the same in both.
package soak

import (
	"os"
	"testing"
)

// Marker begins what a test that has a long form logs in `make soak`: the report
// shows all that such tests log (release/testreport).
const Marker = "in make soak: "

// Short is why a test is skipped that only `make soak` runs.
const Short = "takes long; this run is short"

// On reports whether this is `make soak`. It reads the environment at each call,
// which go test sees when it caches what passed.
func On() bool { return os.Getenv("SOAK") != "" }

// Rounds returns how often, or with how much, a test does what it does.
func Rounds[N int | uint64](t testing.TB, short, long N) N {
	t.Helper()
	if !On() {
		return short
	}
	t.Logf(Marker+"%d in place of %d", long, short)
	return long
}

// Unless returns what makes a test short, and nothing in `make soak`.
func Unless[T any](t testing.TB, short T) []T {
	t.Helper()
	if !On() {
		return []T{short}
	}
	t.Log(Marker + "all of it")
	return nil
}
