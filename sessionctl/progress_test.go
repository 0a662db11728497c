package sessionctl

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
)

func TestMeterOnATerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		m := newMeter(&out, true, "export")
		written := func(after time.Duration) string {
			<-time.After(after)
			synctest.Wait()
			m.mu.Lock()
			defer m.mu.Unlock()
			defer out.Reset()
			return out.String()
		}
		shows := func(after time.Duration, want string) {
			t.Helper()
			require.Equal(t, want, written(after))
		}
		const cut, end = "\r\x1b[?7l", "\x1b[K\x1b[?7h"
		shows(999*time.Millisecond, "")
		shows(time.Millisecond, cut+"export: 1s"+end)
		m.add(1000, 0)
		shows(249*time.Millisecond, "")
		shows(time.Millisecond, cut+"export: 1000 sessions in 1s, 800/s"+end)
		require.Equal(t, 7, strings.Count(written(2*time.Second-250*time.Millisecond), "export:"), "four times a second")
		m.add(500, shareBefore(core.ID{0x40})) // a quarter
		m.add(0, 0.1)                          // one that was slower
		shows(250*time.Millisecond, cut+"export: 1500 sessions in 3s, 462/s, 25%, 10s left"+end)
		require.NoError(t, m.aside(func() error { out.WriteString("conflict\n"); return nil }))
		shows(0, "\r\x1b[Kconflict\n")
		shows(250*time.Millisecond, cut+"export: 1500 sessions in 4s, 429/s, 25%, 11s left"+end)
		m.done()
		m.done()
		shows(time.Hour, "\r\x1b[K")
	})
}

func TestMeterInALog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		m := newMeter(&out, false, "sweep")
		m.add(1, 0)
		<-time.After(25 * time.Second)
		synctest.Wait()
		m.add(1, 1)
		m.done()
		<-time.After(time.Hour)
		require.Equal(t, "sweep: 1 session in 10s, 0/s\nsweep: 1 session in 20s, 0/s\n", out.String())
	})
}

func TestMeterIsQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		p := &Program{Err: &out}
		for _, quiet := range []target{{json: true}, {quiet: true}} {
			m := quiet.meter(p, "sweep")
			m.add(1, 1)
			<-time.After(time.Hour)
			m.done()
			require.Empty(t, out.String())
		}
		m := (&target{}).meter(p, "sweep")
		<-time.After(logEvery)
		synctest.Wait()
		m.done()
		require.NotEmpty(t, out.String())
	})
}

func TestWhatIsNoTerminal(t *testing.T) {
	require.False(t, isTerminal(&bytes.Buffer{}))
	null, err := os.Open(os.DevNull)
	require.NoError(t, err)
	defer null.Close()
	require.False(t, isTerminal(null))
	require.False(t, isFile(null))
	f, err := os.Create(filepath.Join(t.TempDir(), "f"))
	require.NoError(t, err)
	require.False(t, isTerminal(f))
	require.True(t, isFile(f))
	require.NoError(t, f.Close())
	require.False(t, isFile(f), "closed")
	require.False(t, isTerminal(f), "closed")
	if tty, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0); err == nil {
		defer tty.Close()
		require.True(t, isTerminal(tty))
	}
}

func TestMoments(t *testing.T) {
	for m, want := range map[core.Time]string{
		1_790_000_000_007: "2026-09-21T14:13:20.007Z",
		0:                 "1970-01-01T00:00:00.000Z",
		-1:                "1969-12-31T23:59:59.999Z",
		1 << 53:           "287396-10-12T08:59:00.992Z",
	} {
		text, err := moment(m).MarshalText()
		require.NoError(t, err)
		require.Equal(t, want, string(text))
	}
	for _, extreme := range []core.Time{-1 << 63, 1<<63 - 1} {
		text, err := moment(extreme).MarshalText()
		require.NoError(t, err)
		require.NotEmpty(t, text)
	}
}
