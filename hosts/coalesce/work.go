package coalesce

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/rockstar-web/sessions/hosts"
)

// batch is calls whose turn has come. One that is answered is nil: its caller
// may use it again.
type batch[Q, A any] []*call[Q, A]

// work serves the line until nobody waits.
func (l *lane[Q, A]) work() {
	var b batch[Q, A]
	defer func() {
		// The backend panicked, or ended this goroutine: its callers hear it,
		// and another worker goes on.
		if len(b) > 0 {
			l.answer(b, l.failure(panicked(recover(), l.lost())))
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		l.workers--
		l.engage()
	}()
	for last, took := 0, time.Duration(0); l.await(last, took); {
		if b = l.take(b[:0], last); len(b) == 0 {
			return
		}
		began := time.Now()
		l.serve(b)
		last, took = len(b), time.Since(began)
	}
}

func (l *lane[Q, A]) serve(b batch[Q, A]) {
	ctx, cancel := context.WithTimeout(context.Background(), l.bounds.Timeout)
	defer cancel()
	l.run(ctx, b)
}

// take fills b with the next batch. When no more are about than may go
// directly, those that wait do that and there is none; last is how many were
// answered just now, who come back.
func (l *lane[Q, A]) take(b batch[Q, A], last int) batch[Q, A] {
	l.mu.Lock()
	defer l.mu.Unlock()
	few := last+l.batched+l.direct+l.line.ready.calls <= l.bounds.Direct
	bytes := 0
	for c := l.line.ready.first; c != nil; c = l.line.ready.first {
		switch {
		case few:
			l.line.begin(c)
			l.direct++
			c.answer <- verdict[A]{alone: true}
			continue
		case len(b) == l.bounds.BatchCalls || len(b) > 0 && bytes+c.bytes > l.bounds.BatchBytes:
			return b
		}
		l.line.begin(c)
		l.batched++
		b = append(b, c)
		bytes += c.bytes
	}
	return b
}

// run asks for a batch and answers it, in halves where it fails as a whole.
func (l *lane[Q, A]) run(ctx context.Context, b batch[Q, A]) {
	if len(b) == 1 {
		l.answer(b, l.foreign(l.one(ctx, b[0].q)))
		return
	}
	qs := make([]Q, len(b))
	for i, c := range b {
		qs[i] = c.q
	}
	answers := l.many(ctx, qs)
	switch {
	case len(answers) != len(b):
		l.answer(b, l.failure(fmt.Errorf("coalescer: the backend gave %d answers to %d calls: %w", len(answers), len(b), l.lost())))
	case l.failed(answers) && ctx.Err() == nil:
		half := len(b) / 2
		if l.run(ctx, b[:half]); ctx.Err() == nil {
			l.run(ctx, b[half:])
		} else {
			l.answer(b[half:], answers[half:]...)
		}
	default:
		for i, a := range answers {
			answers[i] = l.foreign(a)
		}
		l.answer(b, answers...)
	}
}

// foreign marks the end of a context in the answer to a batch: it is none of
// the caller's, who must not take it for a call that had not begun.
func (l *lane[Q, A]) foreign(a A) A {
	err := l.errorOf(a)
	if !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) || errors.Is(err, hosts.ErrBatch) {
		return a
	}
	return l.failure(fmt.Errorf("coalescer: the batch was not answered: %w: %w", l.lost(), err))
}

// failed reports whether a batch failed as a whole.
func (l *lane[Q, A]) failed(answers []A) bool {
	for _, a := range answers {
		if !errors.Is(l.errorOf(a), hosts.ErrBatch) {
			return false
		}
	}
	return true
}

// answer tells each caller its own answer, or all the same. Whatever waits
// behind them has its turn before they can come back.
func (l *lane[Q, A]) answer(b batch[Q, A], answers ...A) {
	l.mu.Lock()
	l.count(len(b))
	for _, c := range b {
		if c != nil {
			l.batched--
			l.line.over(c)
		}
	}
	l.engage()
	l.mu.Unlock()
	for i, c := range b {
		if c != nil {
			b[i] = nil
			c.answer <- verdict[A]{a: answers[min(i, len(answers)-1)]}
		}
	}
}

// panicked is the error of a call whose backend panicked with p, or, where that
// is nil, ended its goroutine. What p says may be a secret; where it was is not.
func panicked(p any, lost error) error {
	what := fmt.Sprintf("panicked with a %T", p)
	if e, ok := p.(runtime.Error); ok {
		what = "panicked: " + e.Error()
	} else if p == nil {
		what = "ended its goroutine"
	}
	pcs := make([]uintptr, 16)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	f, more := frames.Next()
	for ; more && !strings.HasPrefix(f.Function, "runtime."); f, more = frames.Next() {
	}
	for ; more && strings.HasPrefix(f.Function, "runtime."); f, more = frames.Next() {
	}
	return fmt.Errorf("coalescer: the backend %s, in %s line %d: %w", what, f.Function, f.Line, lost)
}
