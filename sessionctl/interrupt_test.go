package sessionctl

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// stuck gives what it has, says so, and then keeps its reader waiting.
type stuck struct {
	data io.Reader
	dry  func()
}

func (s *stuck) Read(p []byte) (int, error) {
	if n, err := s.data.Read(p); err == nil {
		return n, nil
	}
	s.dry()
	select {}
}

// within runs the command in this process.
func within(ctx context.Context, in io.Reader, args ...string) (code int, stdout, stderr string) {
	var out, warn bytes.Buffer
	p := &Program{In: in, Out: &out, Err: &warn, Now: time.Now}
	code = p.Run(ctx, args)
	return code, out.String(), warn.String()
}

// An import that is broken off tells what it did, leaves whole sessions, and
// goes on when it is run again.
func TestInterruptedImport(t *testing.T) {
	from, to := fileStore(t), fileStore(t)
	var records []core.Record
	for n := range uint32(500) {
		records = append(records, record(n, "u", ""))
	}
	fill(t, from, records...)
	file := exported(t, from)
	whole, err := os.ReadFile(file)
	require.NoError(t, err)

	ctx, interrupt := context.WithCancel(t.Context())
	in := &stuck{bytes.NewReader(whole[:len(whole)-1]), interrupt}
	code, stdout, stderr := within(ctx, in, "import", "--store", to, "--revive", "--json", "-")
	require.Equal(t, 1, code)
	require.Equal(t, "sessionctl: import: interrupted; run it again to go on\n", stderr)
	o := objects(t, stdout)[0]
	require.Equal(t, false, o["complete"])
	saved := all(t, to)
	require.Len(t, saved, int(o["saved"].(float64)), "all that was begun is counted")

	code, stdout, stderr = on(t, to, "import", "--revive", "--json", file)
	require.Zero(t, code, stderr)
	o = objects(t, stdout)[0]
	require.EqualValues(t, len(saved), o["there"])
	require.EqualValues(t, len(records)-len(saved), o["saved"])
	require.Equal(t, all(t, from), all(t, to))
}

func TestInterrupts(t *testing.T) {
	url := fileStore(t)
	crowd(t, url)
	file := exported(t, url)
	ended, interrupt := context.WithCancel(t.Context())
	interrupt()
	for _, args := range [][]string{
		{"list"}, {"end", core.ID{1}.String()}, {"end-all", "--all-tenants"}, {"sweep"}, {"export", file + "2"},
		{"export", "-"}, {"import", file}, {"import", "-"}, {"show", core.ID{1}.String()},
	} {
		code, _, stderr := within(ended, &stuck{bytes.NewReader(nil), func() {}}, append([]string{args[0], "--store", url}, args[1:]...)...)
		require.Equal(t, 1, code, args)
		require.Contains(t, stderr, args[0]+": interrupted", args)
	}
	require.NoFileExists(t, file+"2")
	require.Len(t, all(t, url), 8)
}

// interrupted is a store whose user interrupts in the middle of a call, here and
// there: the call goes on, as one over a network does.
type interrupted struct {
	hosts.Store
	interrupt func()
	calls     int // before that
}

func (i *interrupted) Sweep(ctx context.Context, before core.Time, limit int) (int, error) {
	i.count()
	return i.Store.(hosts.Sweeper).Sweep(ctx, before, limit)
}

func (i *interrupted) Load(ctx context.Context, id core.ID) (core.Record, error) {
	i.count()
	return i.Store.Load(ctx, id)
}

func (i *interrupted) count() {
	if i.calls--; i.calls < 0 {
		i.interrupt()
	}
}

// What was begun is finished and counted, and nothing else is begun.
func TestInterruptedSweepAndEndCountWhatTheyDid(t *testing.T) {
	url := "file+shared:" + filepath.Join(t.TempDir(), "sessions")
	var records []core.Record
	for n := range uint32(2*sweepBatch + 10) {
		r := record(n, "u", "")
		r.ExpiresAt = r.SeenAt - 2*core.Hour
		records = append(records, r)
	}
	fill(t, url, records...)
	withStore(t, url, func(s hosts.Store) {
		ctx, cancel := context.WithCancel(t.Context())
		total, err := sweepAll(ctx, &interrupted{s, cancel, 1}, records[0].SeenAt, &meter{})
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, 2*sweepBatch, total)
	})
	left := all(t, url)
	require.Len(t, left, 10)
	withStore(t, url, func(s hosts.Store) {
		ctx, cancel := context.WithCancel(t.Context())
		var ids []core.ID
		for _, r := range left {
			ids = append(ids, r.ID)
		}
		require.Equal(t, end{ended: 4}, endEach(ctx, &interrupted{s, cancel, 3}, ids, &meter{}))
	})
	require.Equal(t, left[4:], all(t, url))
}

func TestInterruptibleReads(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789"), chunk/3)
	got, err := io.ReadAll(&interruptible{ctx: t.Context(), src: bytes.NewReader(data)})
	require.NoError(t, err)
	require.True(t, bytes.Equal(data, got))
	broken := errors.New("broken")
	got, err = io.ReadAll(&interruptible{ctx: t.Context(), src: io.MultiReader(bytes.NewReader(data), failing{broken})})
	require.ErrorIs(t, err, broken)
	require.Len(t, got, len(data))
}

// failing cannot be read.
type failing struct{ err error }

func (f failing) Read(p []byte) (int, error) { return 0, f.err }

// Ctrl-C, in a process of its own that waits for more of its input.
func TestSignalEndsAnImport(t *testing.T) {
	from, to := fileStore(t), "file+shared:"+filepath.Join(t.TempDir(), "sessions")
	crowd(t, from)
	whole, err := os.ReadFile(exported(t, from))
	require.NoError(t, err)
	cmd := call{args: []string{"import", "--store", to, "--revive", "--json", "-"}}.command(t)
	var out, warn bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = nil, &out, &warn
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	_, err = in.Write(whole[:len(whole)-1])
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		_, err := os.Stat(strings.TrimPrefix(to, "file+shared:"))
		return err == nil
	}, runTime, 10*time.Millisecond, "it has begun")
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	require.Error(t, cmd.Wait())
	require.Equal(t, 1, cmd.ProcessState.ExitCode(), warn.String())
	require.Contains(t, warn.String(), "interrupted")
	if out.Len() > 0 { // it had opened the store
		require.EqualValues(t, objects(t, out.String())[0]["saved"], len(all(t, to)))
	}
}

// A reader that has seen enough, such as head, keeps no command from cleaning up.
func TestAClosedPipeLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	url := "file:" + filepath.Join(dir, "sessions")
	fill(t, url, record(1, "alice", ""))
	for _, args := range [][]string{{"doctor", "--store", url}, {"list", "--store", url}} {
		cmd := call{args: args, dir: dir}.command(t)
		read, write, err := os.Pipe()
		require.NoError(t, err)
		var errs bytes.Buffer
		cmd.Stdout, cmd.Stderr = write, &errs
		require.NoError(t, read.Close())
		require.Error(t, cmd.Run())
		require.NoError(t, write.Close())
		require.Equal(t, 1, cmd.ProcessState.ExitCode(), "%v: %s", args, errs.String())
		require.Empty(t, errs.String())
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Len(t, entries, 1, "%v left something beside the store", args)
	}
}
