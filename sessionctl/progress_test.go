package sessionctl

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
)

func TestMeter(t *testing.T) {
	now := time.Unix(1000, 0)
	var out bytes.Buffer
	p := &Program{Err: &out, Now: func() time.Time { return now }}
	quiet := p.meter("sweep", false)
	quiet.add(5)
	quiet.done()
	require.Empty(t, out.String(), "no terminal, not asked")

	m := p.meter("sweep", true)
	m.add(10)
	require.Empty(t, out.String())
	now = now.Add(999 * time.Millisecond)
	m.add(10)
	require.Empty(t, out.String(), "once a second")
	now = now.Add(time.Millisecond)
	m.add(30)
	require.Equal(t, "sweep: 50 sessions, 50/s\n", out.String())
	now = now.Add(time.Second)
	m.done()
	m.done()
	require.Equal(t, "sweep: 50 sessions, 50/s\nsweep: 50 sessions, 25/s\n", out.String())

	out.Reset()
	m = p.meter("list", true)
	m.screen = true
	now = now.Add(2 * time.Second)
	m.add(1)
	require.Equal(t, "\rlist: 1 sessions, 0/s\x1b[K", out.String())
	m.done()
	require.Equal(t, "\rlist: 1 sessions, 0/s\x1b[K\r\x1b[K", out.String(), "the line is left empty")
}

func TestWhatIsNoTerminal(t *testing.T) {
	require.False(t, isTerminal(&bytes.Buffer{}))
	null, err := os.Open(os.DevNull)
	require.NoError(t, err)
	defer null.Close()
	require.False(t, isTerminal(null))
	f, err := os.Create(filepath.Join(t.TempDir(), "f"))
	require.NoError(t, err)
	require.False(t, isTerminal(f))
	require.NoError(t, f.Close())
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
