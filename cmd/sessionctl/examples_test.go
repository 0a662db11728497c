package main

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/core"
)

// exampleID is the session of the help texts.
const exampleID = "sBzS0p1aQkq3M0nJq2p9rw"

// commandsAndExamples reads the help texts, as a new user does.
func commandsAndExamples(t *testing.T) map[string][]string {
	t.Helper()
	_, text, _ := call{args: []string{"help"}}.run(t)
	found := map[string][]string{}
	_, table, _ := strings.Cut(text, "[flags]\n\n")
	table, _, _ = strings.Cut(table, "\n\n")
	for line := range strings.Lines(table) {
		name := strings.Fields(line)[0]
		if name == "help" {
			continue
		}
		_, help, _ := call{args: []string{"help", name}}.run(t)
		_, examples, _ := strings.Cut(help, "\nExamples:\n")
		examples, _, _ = strings.Cut(examples, "\n\n")
		for example := range strings.Lines(examples) {
			found[name] = append(found[name], strings.TrimSpace(example))
		}
		require.NotEmpty(t, found[name], "the help of %s has no examples", name)
	}
	require.Greater(t, len(found), 10)
	return found
}

// TestExamplesOfTheHelpTextsRun in bash. Names of servers are replaced by a file.
func TestExamplesOfTheHelpTextsRun(t *testing.T) {
	refused := map[string]bool{"inspect": true} // its cookies are made up
	stays := map[string]bool{"gateway": true, "demo": true, "check": true}
	for name, examples := range commandsAndExamples(t) {
		for _, example := range examples {
			t.Run(example, func(t *testing.T) {
				dir := exampleDirectory(t)
				line := strings.NewReplacer("redis://localhost:6379", "sqlite:sessions.db", "postgres://app@db/shop", "sqlite:sessions.db",
					"127.0.0.1:8090", "127.0.0.1:0").Replace(example)
				if name == "gateway" || line == "sessionctl demo" {
					line += " --addr 127.0.0.1:0"
				}
				if stays[name] {
					requireItBegins(t, dir, line)
					return
				}
				if name == "export" {
					require.NoError(t, os.Remove(filepath.Join(dir, "sessions.rwsexp")))
				}
				code, output := inBash(t, dir, line)
				want := 0
				if refused[name] {
					want = 1
				}
				require.Equal(t, want, code, output)
			})
		}
	}
}

// exampleDirectory has the files that the examples name, and a store with the session.
func exampleDirectory(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	r := record(1, "alice", "")
	var err error
	r.ID, err = core.ParseID(exampleID)
	require.NoError(t, err)
	store := "sqlite:" + filepath.Join(dir, "sessions.db")
	fill(t, store, r)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "cookie.txt"), []byte("rockstar_session=AbC"), 0o600))
	require.NoError(t, os.MkdirAll(filepath.Join(dir, ".config/fish/completions"), 0o700))
	code, _, stderr := call{args: []string{"export", filepath.Join(dir, "sessions.rwsexp"), "--store", store}}.run(t)
	require.Zero(t, code, stderr)
	return dir
}

// inBash runs a line with sessionctl as a function, and stand-ins for what else it
// calls. Only the doctor has a key: the session of the example is not sealed under it.
func inBash(t *testing.T, dir, line string) (code int, output string) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	program := `sessionctl() { ` + asCommand + `=1 GORACE=atexit_sleep_ms=0 "` + self + `" "$@"; }
		ssh() { sh -c "$2"; }; fpath=("$HOME")
		` + line
	cmd := exec.CommandContext(t.Context(), "bash", "--norc", "-c", program)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "HOME="+dir, "SESSION_STORE=sqlite:sessions.db")
	if !strings.HasPrefix(line, "sessionctl show") {
		cmd.Env = append(cmd.Env, "SESSION_ENCRYPTION_KEY="+testKey)
	}
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil {
		require.ErrorAs(t, err, &exit)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// requireItBegins interrupts a command that would go on, after its first line.
func requireItBegins(t *testing.T, dir, line string) {
	t.Helper()
	cmd := call{dir: dir, args: strings.Fields(line)[1:], env: []string{"SESSION_STORE=sqlite:sessions.db", "SESSION_ENCRYPTION_KEY=" + testKey}}.command(t)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	first, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	_ = cmd.Wait() // the exit code is that of an interrupt
	require.NoError(t, err, errs.String())
	require.Regexp(t, `^(https?://|kept )`, first)
}
