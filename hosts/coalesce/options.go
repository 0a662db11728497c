package coalesce

import (
	"fmt"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// Options are the bounds of a Store. The zero value takes the defaults in brackets.
type Options struct {
	Direct       int           // calls under way at once that go alone, for each of loads and saves [2]; -1: none
	Workers      int           // batches under way at once, for each of loads and saves [1]
	BatchCalls   int           // calls of one batch [256]
	BatchBytes   int           // sealed bytes of one batch [1 MiB]; one larger record goes alone
	WaitingCalls int           // calls that wait, for each of loads and saves [16384]; one more gets hosts.ErrBusy
	WaitingBytes int           // sealed bytes that wait [64 MiB]; more get hosts.ErrBusy
	Timeout      time.Duration // of one batch, which has a context of its own [10 s]
}

// The defaults of Options.
const (
	DefaultDirect       = 2
	DefaultWorkers      = 1
	DefaultBatchCalls   = 256
	DefaultBatchBytes   = 1 << 20
	DefaultWaitingCalls = 16 << 10
	DefaultWaitingBytes = 64 << 20
	DefaultBatchTimeout = 10 * time.Second
)

func (o *Options) fill() error {
	for _, f := range []struct {
		name      string
		value     *int
		otherwise int
		least     int
	}{
		{"Direct", &o.Direct, DefaultDirect, -1},
		{"Workers", &o.Workers, DefaultWorkers, 1},
		{"BatchCalls", &o.BatchCalls, DefaultBatchCalls, 1},
		{"BatchBytes", &o.BatchBytes, DefaultBatchBytes, 1},
		{"WaitingCalls", &o.WaitingCalls, DefaultWaitingCalls, 1},
		{"WaitingBytes", &o.WaitingBytes, DefaultWaitingBytes, core.MaxSealed},
	} {
		if *f.value == 0 {
			*f.value = f.otherwise
		}
		if *f.value < f.least {
			return &hosts.ConfigError{Field: "coalesce.Options." + f.name, Value: fmt.Sprint(*f.value), Allowed: fmt.Sprintf("%d or more", f.least)}
		}
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultBatchTimeout
	}
	if o.Timeout < 0 {
		return &hosts.ConfigError{Field: "coalesce.Options.Timeout", Value: o.Timeout.String(), Allowed: "a positive duration"}
	}
	return nil
}
