package hosts

import (
	"context"
	"crypto/rand"
	"fmt"
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
		d.err = e.fill(d.seed[:])
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

// maxEmptyReads is how often in a row a source may give nothing and no error.
const maxEmptyReads = 100

// fill reads until p is full. Unlike io.ReadFull it survives a source that
// claims to have read what it cannot have.
func (e *entropy) fill(p []byte) error {
	for empty := 0; len(p) > 0; empty++ {
		n, err := e.source.Read(p)
		switch {
		case n < 0 || n > len(p):
			return fmt.Errorf("a read of %d bytes returned %d", len(p), n)
		case n < len(p) && err != nil:
			return err
		case n > 0:
			empty = 0
		case empty == maxEmptyReads:
			return io.ErrNoProgress
		}
		p = p[n:]
	}
	return nil
}
