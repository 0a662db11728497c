package sessionctl

import (
	"context"
	"io"
)

// interruptible is a reader that returns when ctx ends, also while standard
// input keeps it waiting. The read that waits is left behind.
type interruptible struct {
	ctx  context.Context
	src  io.Reader
	room []byte
	left []byte
	err  error // behind what is left
}

// chunk is what is read at once, in bytes.
const chunk = 64 << 10

func (i *interruptible) Read(p []byte) (int, error) {
	if len(i.left) == 0 && i.err == nil {
		i.fill()
	}
	if len(i.left) == 0 {
		return 0, i.err
	}
	n := copy(p, i.left)
	i.left = i.left[n:]
	return n, nil
}

func (i *interruptible) fill() {
	type answer struct {
		n   int
		err error
	}
	if i.room == nil {
		i.room = make([]byte, chunk)
	}
	done := make(chan answer, 1)
	go func() {
		n, err := i.src.Read(i.room)
		done <- answer{n, err}
	}()
	select {
	case a := <-done:
		i.left, i.err = i.room[:a.n], a.err
	case <-i.ctx.Done():
		i.err = i.ctx.Err()
	}
}
