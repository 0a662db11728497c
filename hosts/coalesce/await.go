package coalesce

import (
	"runtime"
	"time"
)

// Bounds of waiting for more calls when some wait already. Between few callers
// there is nothing to win, and where very many call a batch is full anyway.
const (
	leastAwaited = 16
	mostAwaited  = 512
	maxAwait     = time.Millisecond // or half of what the last batch took
	maxUnawaited = 63               // batches in a row, where waiting was in vain
)

// await lets callers join the next batch. Those that were answered just now
// come back together, last of them: a batch that did not await them would leave
// them to the next, and every batch would be half of what it can be. It returns
// when as many wait, after half the time that the last batch took, or at once
// where there is nothing to win. False means that another worker awaits them already.
func (l *lane[Q, A]) await(last int, took time.Duration) bool {
	l.mu.Lock()
	full := l.line.ready.calls >= l.bounds.BatchCalls
	l.mu.Unlock()
	if full {
		return true
	}
	runtime.Gosched() // callers that are ready
	if last < leastAwaited || last > mostAwaited {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.enough > 0:
		return false
	case l.line.ready.calls >= last:
		return true
	case l.unawaited > 0:
		l.unawaited--
		return true
	}
	l.enough = last
	if l.enoughCame(min(took/2, maxAwait)) {
		l.vain = 0
	} else {
		l.vain = min(2*l.vain+1, maxUnawaited)
		l.unawaited = l.vain
	}
	return true
}

// enoughCame waits, without l.mu, which is held, until l.enough calls wait, or
// for d.
func (l *lane[Q, A]) enoughCame(d time.Duration) bool {
	l.mu.Unlock()
	t := time.NewTimer(d)
	select {
	case <-l.gather:
		t.Stop()
		runtime.Gosched() // callers that come together with the last
		l.mu.Lock()
		return true
	case <-t.C:
	}
	l.mu.Lock()
	if l.enough == 0 {
		<-l.gather // both were ready
		return true
	}
	l.enough = 0
	return false
}
