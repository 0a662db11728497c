package servers

import (
	"os"
	"strconv"
	"testing"
)

// Kills returns how often a test that kills what it tests does so: usually, or
// as often as CRASH_KILLS says, for `make crash`.
func Kills(t testing.TB, usually int) int {
	t.Helper()
	text := os.Getenv("CRASH_KILLS")
	if text == "" {
		return usually
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("CRASH_KILLS is %q; allowed: a number above 0", text)
	}
	return n
}
