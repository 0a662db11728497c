//go:build !unix

package wazero_test

import "time"

var started = time.Now()

// cpuTime is the clock where the processors' time is not to be had.
func cpuTime() time.Duration { return time.Since(started) }
