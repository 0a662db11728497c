package sessionctl

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/rockstar-web/sessions/core"
)

// When a meter shows something.
const (
	screenAfter = time.Second            // what takes less shows nothing on a terminal
	screenEvery = 250 * time.Millisecond // from then on
	logEvery    = 10 * time.Second       // a line, where stderr is no terminal
	leastShare  = 0.01                   // of less no time left is said
)

// A meter shows on stderr how far a long command is. It goes by the clock, so that a
// call which takes long is seen to take long. It is safe for concurrent use.
type meter struct {
	out    io.Writer // nil: it shows nothing
	screen bool      // a line that is written over, not one below the other
	verb   string
	start  time.Time

	mu    sync.Mutex
	timer *time.Timer
	drawn bool    // the terminal's line is ours
	count int     // sessions
	share float64 // of all that is to be done; 0 where that is not known
}

func (p *Program) meter(verb string, quiet bool) *meter {
	if quiet {
		return &meter{}
	}
	screen := isTerminal(p.Err) && os.Getenv("TERM") != "dumb"
	return newMeter(p.Err, screen, verb)
}

func newMeter(out io.Writer, screen bool, verb string) *meter {
	m := &meter{out: out, screen: screen, verb: verb, start: time.Now()}
	first := logEvery
	if screen {
		first = screenAfter
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.timer = time.AfterFunc(first, m.tick)
	return m
}

// add counts n more sessions. With them this share of all is done, from 0 to 1.
func (m *meter) add(n int, share float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.count, m.share = m.count+n, max(m.share, share)
}

// shareBefore is the share of all sessions that is done with id, where they come in
// the order of their IDs: these are random, and so lie evenly. No store has to count.
func shareBefore(id core.ID) float64 {
	return float64(binary.BigEndian.Uint64(id[:])) / (1 << 64)
}

func (m *meter) tick() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.out == nil {
		return
	}
	text := m.text(time.Since(m.start))
	if m.screen { // without wrapping: a narrow terminal cuts the line off
		fmt.Fprintf(m.out, "\r\x1b[?7l%s\x1b[K\x1b[?7h", text)
		m.drawn = true
		m.timer.Reset(screenEvery)
		return
	}
	fmt.Fprintln(m.out, text)
	m.timer.Reset(logEvery)
}

func (m *meter) text(took time.Duration) string {
	seconds := took.Round(time.Second)
	if m.count == 0 {
		return fmt.Sprintf("%s: %v", m.verb, seconds)
	}
	text := fmt.Sprintf("%s: %s in %v, %.0f/s", m.verb, plural(m.count), seconds, float64(m.count)/took.Seconds())
	if m.share < leastShare {
		return text
	}
	left := time.Duration(float64(took) * (1 - m.share) / m.share)
	return text + fmt.Sprintf(", %.0f%%, %v left", 100*m.share, left.Round(time.Second))
}

// aside lets print write to stdout, which may be the same terminal.
func (m *meter) aside(print func() error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.clear()
	return print()
}

// done leaves the terminal's line empty. A second call does nothing.
func (m *meter) done() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.out == nil {
		return
	}
	m.timer.Stop()
	m.clear()
	m.out = nil
}

func (m *meter) clear() {
	if m.drawn {
		fmt.Fprint(m.out, "\r\x1b[K")
		m.drawn = false
	}
}

// isTerminal takes every character device for one, except the one that
// forgets.
func isTerminal(stream any) bool {
	info := statOf(stream)
	if info == nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}

func isFile(stream any) bool {
	info := statOf(stream)
	return info != nil && info.Mode().IsRegular()
}

// statOf returns nil for what is no open file.
func statOf(stream any) os.FileInfo {
	f, ok := stream.(*os.File)
	if !ok {
		return nil
	}
	info, err := f.Stat()
	if err != nil {
		return nil
	}
	return info
}
