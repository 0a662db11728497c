package sessionctl

import (
	"bytes"
	"context"
	"flag"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// asCommand makes this test binary the command itself, so that what runs is
// built with the race detector.
const asCommand = "SESSIONCTL_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if peak := os.Getenv(peakFile); peak != "" {
		os.Exit(measured(peak))
	}
	if os.Getenv(asCommand) != "" {
		Main()
		return
	}
	os.Exit(m.Run())
}

// runTime is more than any of the calls here takes, on a busy machine too.
const runTime = 5 * time.Minute

const testKey = "8f1b41207465737420206b65792c2072656164206279206e6f626f6479212121"

// A call of the command.
type call struct {
	args  []string
	stdin string
	env   []string
	dir   string
}

func (c call) command(t *testing.T) *exec.Cmd {
	t.Helper()
	path, err := os.Executable()
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), runTime)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, path, c.args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // a check removes what it made
	cmd.WaitDelay = dropTimeout
	// The race detector would wait for a second at each exit.
	cmd.Env = append([]string{asCommand + "=1", "GORACE=atexit_sleep_ms=0", "TMPDIR=" + os.TempDir()}, c.env...)
	cmd.Dir = c.dir
	if c.dir == "" {
		cmd.Dir = t.TempDir()
	}
	cmd.Stdin = strings.NewReader(c.stdin)
	return cmd
}

func (c call) run(t *testing.T) (code int, stdout, stderr string) {
	t.Helper()
	cmd := c.command(t)
	var out, warn bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &warn
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil {
		require.ErrorAs(t, err, &exit)
	}
	return cmd.ProcessState.ExitCode(), out.String(), warn.String()
}

func TestUsage(t *testing.T) {
	for line, want := range map[string]struct {
		code           int
		stdout, stderr string
	}{
		"help":                              {0, "sessionctl COMMAND", ""},
		"--help":                            {0, "Exit codes: 0 fine, 1 something is wrong, 2 wrong usage", ""},
		"-h":                                {0, "SESSION_ENCRYPTION_KEY", ""},
		"inspect -h":                        {0, "[COOKIE]", ""},
		"help keygen":                       {0, "and nothing else", ""},
		"help doctor":                       {0, "SESSION_ENCRYPTION_KEY", ""},
		"help help":                         {0, "help COMMAND", ""},
		"help --help":                       {0, "help COMMAND", ""},
		"completion":                        {2, "", "name one shell; allowed: bash, zsh, fish"},
		"":                                  {2, "Usage: sessionctl COMMAND", "no command is given"},
		"lst":                               {2, "", `unknown command "lst"; did you mean list?`},
		"version":                           {0, "sessionctl ", ""},
		"--version":                         {0, "sessionctl ", ""},
		"list --frob":                       {2, "", "list: unknown flag --frob. See sessionctl help list"},
		"list --usre x":                     {2, "", "unknown flag --usre; did you mean --user?"},
		"list --limit abc":                  {2, "", `list: --limit is "abc"; allowed: a whole number. See sessionctl help list`},
		"list --limit 99999999999999999999": {2, "", `--limit is "99999999999999999999"; allowed: a whole number of at most 9223372036854775807`},
		"list --limit":                      {2, "", "list: --limit needs a value"},
		"list --json=perhaps":               {2, "", `list: --json is "perhaps"; allowed: true, false`},
		"sweep --retention soon":            {2, "", `sweep: --retention is "soon"; allowed: a duration such as 90s, 30m or 24h`},
		"doctor --trusted-proxy x":          {2, "", `doctor: --trusted-proxy is "x"; allowed: an address or a prefix`},
		"cache":                             {2, "", "cache: no word is given; allowed: status, on or off"},
		"cache on off":                      {2, "", `cache: the words are ["on" "off"]; allowed: one of status, on and off`},
		"cache perhaps":                     {2, "", `cache: the word is "perhaps"; allowed: status, on or off`},
		"--store sqlite:x list":             {2, "", `"--store" stands before the command; flags go behind it: sessionctl COMMAND --store ...; see sessionctl help`},
		"end-all --tenant=":                 {2, "", `allowed: a tenant. Sessions without one are ended by --user, or by the IDs that list --tenant "" shows`},
		"end-all --user a --tenant=":        {2, "", `leave it out: --user alone selects the sessions without one`},
		"export":                            {2, "", "allowed: one FILE"},
		"completion bash":                   {0, "complete -o default -F _sessionctl sessionctl", ""},
		"completion zsh":                    {0, "#compdef sessionctl", ""},
		"completion fish":                   {0, "complete -c sessionctl", ""},
		"completion tcsh":                   {2, "", `the shell is "tcsh"; allowed: bash, zsh, fish`},
		"help stats":                        {0, "Examples:\n  sessionctl stats", ""},
		"brew":                              {2, "", `unknown command "brew"`},
		"help brew":                         {2, "", `unknown command "brew"`},
		"keygen --bits 512":                 {2, "", "See sessionctl help keygen"},
		"keygen now":                        {2, "", `keygen: unexpected argument "now": this command takes only flags`},
		"inspect --now noon":                {2, "", "2026-05-04T03:02:01Z"},
		"inspect a b":                       {2, "", "one cookie"},
		"inspect a":                         {2, "", "--key-file"},
		"doctor --samesite no":              {2, "", "Lax, Strict, None"},
		"doctor --url example.com":          {2, "", "http:// or https://"},
		"doctor --store x:":                 {2, "", "allowed: memory:"},
	} {
		t.Run(line, func(t *testing.T) {
			code, stdout, stderr := call{args: strings.Fields(line)}.run(t)
			require.Equal(t, want.code, code, stderr)
			require.Contains(t, stdout, want.stdout)
			require.Contains(t, stderr, want.stderr)
			if want.stderr != "" {
				lines := strings.Split(strings.TrimSpace(stderr), "\n")
				require.Regexp(t, `^sessionctl: `, lines[len(lines)-1])
			}
			if want.code == 0 {
				require.Empty(t, stderr)
			}
		})
	}
}

func TestKeygen(t *testing.T) {
	seen := map[string]bool{}
	for range 3 {
		code, stdout, stderr := call{args: []string{"keygen"}}.run(t)
		require.Zero(t, code)
		require.Empty(t, stderr)
		require.Regexp(t, `^[0-9a-f]{64}\n$`, stdout)
		require.False(t, seen[stdout])
		seen[stdout] = true
		code, _, stderr = call{args: []string{"doctor", "--store", "memory:"}, env: []string{"SESSION_ENCRYPTION_KEY=" + stdout[:64]}}.run(t)
		require.Zero(t, code, stderr)
	}
}

func TestABadKeyIsNamedAndNotShown(t *testing.T) {
	for _, args := range []string{"inspect x", "gateway --origin http://127.0.0.1:1 --store file+shared:x"} {
		code, stdout, stderr := call{args: strings.Fields(args), env: []string{"SESSION_ENCRYPTION_KEY=5ec4e7"}}.run(t)
		require.Equal(t, 2, code)
		require.Contains(t, stderr, "SESSION_ENCRYPTION_KEY")
		require.Contains(t, stderr, "32 bytes for AES-256")
		require.NotContains(t, stdout+stderr, "5ec4e7")
	}
}

// TestNoSecretOfTheLineIsRepeated: neither a password of a URL nor a key.
func TestNoSecretOfTheLineIsRepeated(t *testing.T) {
	const url = "postgres://u:hunter2@h/x"
	for _, args := range [][]string{
		{url}, {"help", url}, {"--" + url}, {"list", url}, {"list", "--" + url}, {"list", "--limit", url}, {"list", "--expired-before", url, "--store", "file:x"},
		{"list", "--store", "user=u password=hunter2 host=h"}, {"list", "--store", "pigeon:" + url}, {"list", "--store", "u:hunter2@h"},
		{"end", url}, {"show", url}, {"cache", url}, {"cache", url, url}, {"completion", url}, {"export", url}, {"export", url, url}, {"import", url}, {"import", url, url},
		{"doctor", "--url", "ftp://u:hunter2@h"}, {"doctor", "--samesite", url}, {"doctor", "--trusted-proxy", url}, {"doctor", "--key-file", url, "--store", "memory:"},
		{"inspect", "--now", url, "x"}, {"inspect", "--key-file", url, "x"}, {"inspect", "--key-file", testKey, "x"}, {"inspect", testKey + "@..2099-01-01T00:00:00Z", "x"},
		{"show", "--key-file", testKey, "--store", "file:x", "sBzS0p1aQkq3M0nJq2p9rw"}, {"doctor", "--key-file", testKey, "--store", "memory:"}, {"list", testKey},
		{"gateway", "--origin", "http://u:hunter2@127.0.0.1:zz"}, {"gateway", "--origin", "http://h", "--engine", url}, {"gateway", "--check", "--addr", "hunter2@" + url},
	} {
		code, stdout, stderr := call{args: args, env: []string{"SESSION_STORE=file:none"}}.run(t)
		require.NotZero(t, code, args)
		require.NotEmpty(t, stdout+stderr)
		require.NotContains(t, stdout+stderr, "hunter2", args)
		require.NotContains(t, stdout+stderr, testKey, args)
	}
	code, _, stderr := call{args: []string{"inspect", "--key-file", testKey, "x"}}.run(t)
	require.Equal(t, exitUsage, code)
	require.Contains(t, stderr, "--key-file is followed by what looks like a key; allowed: the name of a file")
}

// TestEveryStoreCommandTakesTheSameFlags, as the documentation says.
func TestEveryStoreCommandTakesTheSameFlags(t *testing.T) {
	for _, c := range new(Program).commands() {
		set := flag.NewFlagSet(c.Name, flag.ContinueOnError)
		c.Flags(set)
		if set.Lookup("store") == nil || c.Name == "gateway" {
			continue
		}
		require.NotNil(t, set.Lookup("json"), c.Name)
		require.NotNil(t, set.Lookup("quiet"), c.Name)
	}
}

func TestEveryCommandIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../docs/sessionctl.md")
	require.NoError(t, err)
	for _, c := range new(Program).commands() {
		require.Regexp(t, "(?m)^## .*\\b"+c.Name+"\\b|`(sessionctl )?"+c.Name+"`", string(text), c.Name)
		require.NotEmpty(t, c.Brief, c.Name)
		require.NotEmpty(t, c.About, c.Name)
	}
}
