package hosts

import (
	"context"
	"crypto/rand"
	"io"

	"github.com/rockstar-web/sessions/core"
)

// entropy reads seeds from a configured source, one at a time. A source that
// blocks holds up those who need a seed until their time is over, and never
// more than one goroutine.
type entropy struct {
	source Entropy // nil: the system's
	turn   chan struct{}
}

type drawn struct {
	seed core.Seed
	err  error
}

func newEntropy(source Entropy) entropy { return entropy{source, make(chan struct{}, 1)} }

// systemSeed reads crypto/rand, which neither fails nor blocks.
func systemSeed() (s core.Seed) {
	_, _ = rand.Read(s[:])
	return s
}

func (e *entropy) draw(ctx context.Context) (core.Seed, error) {
	select {
	case e.turn <- struct{}{}:
	case <-ctx.Done():
		return core.Seed{}, ctx.Err()
	}
	answer := make(chan drawn, 1) // one who left is not waited for
	go func() {
		var d drawn
		_, d.err = io.ReadFull(e.source, d.seed[:])
		<-e.turn
		answer <- d
	}()
	select {
	case d := <-answer:
		return d.seed, d.err
	case <-ctx.Done():
		return core.Seed{}, ctx.Err()
	}
}
