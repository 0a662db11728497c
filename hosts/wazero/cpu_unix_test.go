//go:build unix

package wazero_test

import (
	"syscall"
	"time"
)

// cpuTime is what the process has had of the processors. On a machine that is
// shared it tells more of a start than the clock does.
func cpuTime() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
