package sessionctl

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// tellEvery is the time between two reports of a meter.
const tellEvery = time.Second

// A meter tells on stderr how many sessions a long command has done, and how
// many a second. It is safe for concurrent use.
type meter struct {
	out    io.Writer // nil: it tells nothing
	screen bool      // a line that is written over, not one below the other
	verb   string
	now    func() time.Time

	mu          sync.Mutex
	count       int
	start, told time.Time
}

// meter tells if stderr is a terminal, or where that is forced.
func (p *Program) meter(verb string, forced bool) *meter {
	m := &meter{verb: verb, now: p.Now, start: p.Now(), screen: isTerminal(p.Err)}
	m.told = m.start
	if forced || m.screen {
		m.out = p.Err
	}
	return m
}

// add counts n more.
func (m *meter) add(n int) {
	if m.out == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.count += n
	if now := m.now(); now.Sub(m.told) >= tellEvery {
		m.told = now
		m.tell(now)
	}
}

// done leaves the terminal's line empty, and a last word anywhere else. A
// second call does nothing.
func (m *meter) done() {
	switch {
	case m.out == nil:
	case m.screen:
		fmt.Fprint(m.out, "\r\x1b[K")
	default:
		m.tell(m.now())
	}
	m.out = nil
}

func (m *meter) tell(now time.Time) {
	rate := float64(m.count) / max(now.Sub(m.start), time.Millisecond).Seconds()
	begin, end := "", "\n"
	if m.screen {
		begin, end = "\r", "\x1b[K"
	}
	fmt.Fprintf(m.out, "%s%s: %d sessions, %.0f/s%s", begin, m.verb, m.count, rate, end)
}

// isTerminal takes every character device for one, except the one that
// forgets.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}
