package sessionctl

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// shellWith returns a shell and the path of the completions for it.
func shellWith(t *testing.T, name string) (shell, script string) {
	t.Helper()
	shell, err := exec.LookPath(name)
	if err != nil {
		require.NotEqual(t, "true", os.Getenv("CI"), "install %s: %v", name, err)
		t.Skipf("no %s on this machine: install it to test its completions", name)
	}
	var out bytes.Buffer
	require.Zero(t, (&Program{Out: &out}).Run(t.Context(), []string{"completion", name}))
	script = filepath.Join(t.TempDir(), "_sessionctl")
	require.NoError(t, os.WriteFile(script, out.Bytes(), 0o600))
	return shell, script
}

// completions are what may follow a line, sorted.
var completions = map[string]string{
	"sessionctl st":                "stats",
	"sessionctl end":               "end end-all",
	"sessionctl list --u":          "--user",
	"sessionctl stats --user a --": "--help --json --quiet --store --tenant --user",
	"sessionctl help sw":           "sweep",
	"sessionctl completion ":       "bash fish zsh",
	"sessionctl cache s":           "status",
	"sessionctl import two":        "two words.rwsexp",
}

// directory has a file that may be named.
func directory(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "two words.rwsexp"), nil, 0o600))
	return dir
}

func TestCompletionInBash(t *testing.T) {
	shell, script := shellWith(t, "bash")
	for line, want := range completions {
		const program = `source "$1"; COMP_WORDS=($2); [[ $2 == *" " ]] && COMP_WORDS+=(""); COMP_CWORD=$((${#COMP_WORDS[@]}-1))
			_sessionctl; [ ${#COMPREPLY[@]} -gt 0 ] && printf '%s\n' "${COMPREPLY[@]}" | sort || compgen -f -- "${COMP_WORDS[COMP_CWORD]}"`
		cmd := exec.CommandContext(t.Context(), shell, "--norc", "-c", program, "-", script, line)
		cmd.Dir = directory(t)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s: %s", line, out)
		require.Equal(t, want, strings.ReplaceAll(strings.TrimSpace(string(out)), "\n", " "), line)
	}
}

func TestCompletionInFish(t *testing.T) {
	shell, script := shellWith(t, "fish")
	for line, want := range completions {
		cmd := exec.CommandContext(t.Context(), shell, "--no-config", "-c", `source $argv[1]; complete -C $argv[2]`, script, line)
		cmd.Dir = directory(t)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s: %s", line, out)
		var words []string
		for found := range strings.Lines(string(out)) {
			word, _, _ := strings.Cut(strings.TrimSpace(found), "\t") // its description follows
			words = append(words, strings.ReplaceAll(word, `\ `, " "))
		}
		slices.Sort(words)
		require.Equal(t, want, strings.Join(words, " "), line)
	}
}

// TestDescriptionsAreWhole: a shell shows them as the help does.
func TestDescriptionsAreWhole(t *testing.T) {
	shell, script := shellWith(t, "fish")
	out, err := exec.CommandContext(t.Context(), shell, "--no-config", "-c", `source $argv[1]; complete -C $argv[2]`, script, "sessionctl list --").CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "expired before TIME: 2026-05-04T03:02:01Z, or 90m")
	require.Contains(t, string(out), "such as sqlite:sessions.db; see")
	require.Equal(t, `it\'s \\ [a:b]`, fishQuoted(`it's \ [a:b]`))
	require.Equal(t, `it'\''s \\ \[a\:b\]`, zshQuoted(`it's \ [a:b]`))
}

// A zsh at a terminal of its own takes the keys; what it then runs is printed.
func TestCompletionInZsh(t *testing.T) {
	shell, script := shellWith(t, "zsh")
	const program = `zmodload zsh/zpty; zpty z "$1 -f -i"
		zpty -w z "autoload -Uz compinit; compinit -u -D; source $2; sessionctl() { print -r -- RAN:\${(j:|:)@}: }; PS1=READY:; print -r SET''UP"
		zpty -r z out '*SETUP*READY:*'; shift 2
		for keys; do zpty -w z $keys; zpty -r z out '*RAN:*:*READY:*'; print -r -- ${${out##*RAN:}%%:*}; done; zpty -d z`
	args := []string{"-f", "-c", program, "-", shell, script}
	var want []string
	for _, c := range [][2]string{
		{"st\t", "stats"},
		{"stats --js\t", "stats|--json"},
		{"list --user a --t\t", "list|--user|a|--tenant"},
		{"gateway --deny a --den\t", "gateway|--deny|a|--deny"},
		{"list --he\t", "list|--help"},
		{"help sw\t", "help|sweep"},
		{"completion f\t", "completion|fish"},
		{"import two\t", "import|two words.rwsexp"},
	} {
		args, want = append(args, "sessionctl "+c[0]), append(want, c[1])
	}
	cmd := exec.CommandContext(t.Context(), shell, args...)
	cmd.Dir = directory(t)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Equal(t, want, strings.Split(strings.TrimSpace(string(out)), "\n"))
}
