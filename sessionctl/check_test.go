package sessionctl

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/conformance"
)

// interrupter ends a context at the first line that is written.
type interrupter struct {
	strings.Builder
	interrupt func()
}

func (w *interrupter) Write(p []byte) (int, error) {
	w.interrupt()
	return w.Builder.Write(p)
}

func TestCheckOutput(t *testing.T) {
	dir := t.TempDir()
	url := "file:" + filepath.Join(dir, "sessions")
	code, stdout, stderr := call{args: []string{"check", "--brief", url}}.run(t)
	require.Zero(t, code, stderr)
	require.Empty(t, stderr)
	require.Contains(t, stdout, "kept      insert-taken\n")
	require.Contains(t, stdout, "skipped   one-winner\n") // takes long
	require.Contains(t, stdout, "skipped   load-many\n")
	require.Regexp(t, `\npromises kept: \d+, broken: 0, skipped: [1-9]\d*; took [0-9.ms]+\n$`, stdout)

	ctx, cancel := context.WithCancel(t.Context())
	out := &interrupter{interrupt: cancel}
	var warn strings.Builder
	p := &Program{In: nil, Out: out, Err: &warn, Now: time.Now}
	require.Equal(t, 1, p.Run(ctx, []string{"check", url}))
	require.Equal(t, "sessionctl: check: interrupted\n", warn.String())
	require.Regexp(t, `^kept      fresh\npromises kept: 1, broken: 0, skipped: 0;`, out.String())
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left, "neither the store nor a scratch namespace of it")
}

func TestCheckUsage(t *testing.T) {
	for args, want := range map[string]string{
		"":                         "no store is named",
		"memory: memory:":          "allowed: one",
		"memory: --store cache":    "allowed: one",
		"carrier-pigeon:hush@host": "allowed: memory:",
	} {
		code, stdout, stderr := call{args: append([]string{"check"}, strings.Fields(args)...)}.run(t)
		require.Equal(t, 2, code)
		require.Empty(t, stdout)
		require.Contains(t, stderr, want)
		require.NotContains(t, stderr, "hush")
	}
}

// A broken promise is told with what was seen.
func TestCheckTellsWhatIsBroken(t *testing.T) {
	var out strings.Builder
	c := &checking{p: &Program{Out: &out}, counts: map[string]int{}}
	c.tell(conformance.CaseResult{Broken: conformance.Broken{Name: "delete", Promise: "Delete deletes.", Seen: "it\ndid not"}})
	require.Equal(t, "BROKEN    delete\n          promise: Delete deletes.\n          seen: it\n          did not\n", out.String())
	require.Equal(t, 1, c.counts[broken])
	out.Reset()
	c.json = true
	c.tell(conformance.CaseResult{Broken: conformance.Broken{Name: "delete", Promise: "Delete deletes.", Seen: "it\ndid not"}})
	require.JSONEq(t, `{"case":"delete","result":"broken","promise":"Delete deletes.","seen":"it\ndid not"}`, out.String())
}
