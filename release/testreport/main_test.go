package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func line(action, test, output string, seconds float64) string {
	return fmt.Sprintf(`{"Action":%q,"Package":"github.com/rockstar-web/sessions/core","Test":%q,"Output":%q,"Elapsed":%g}`+"\n", action, test, output, seconds)
}

func TestReport(t *testing.T) {
	file := filepath.Join(t.TempDir(), "report")
	var out bytes.Buffer
	good := line("output", "TestA", "quiet\n", 0) + line("pass", "TestA", "", 2.5) +
		line("output", "TestB", "=== RUN   TestB\n", 0) + line("output", "TestB", "    b_test.go:5: no server\n", 0) + line("skip", "TestB", "", 0) +
		line("pass", "TestA/part", "", 9) + line("pass", "", "", 3)
	require.NoError(t, show(strings.NewReader(good), &out, "unit", file))
	require.Contains(t, out.String(), "unit: 3 tests in 1 packages, 0 failed, 1 skipped")
	require.NotContains(t, out.String(), "quiet")

	out.Reset()
	long := line("output", "TestD", "    in make soak: 200 in place of 3\n", 0) + line("output", "TestD", "    none lost\n", 0) + line("pass", "TestD", "", 1) + line("pass", "", "", 1)
	require.NoError(t, show(strings.NewReader(long), &out, "unit", file))
	require.Contains(t, out.String(), "none lost")

	out.Reset()
	bad := line("output", "TestC", "it broke\n", 0) + line("fail", "TestC", "", 1) + line("fail", "", "", 1) + "# compiler says\n"
	require.ErrorContains(t, show(strings.NewReader(bad), &out, "peers", file), "peers failed")
	require.Contains(t, out.String(), "it broke")
	require.Contains(t, out.String(), "# compiler says")
	require.Error(t, show(strings.NewReader(""), &out, "nothing", file), "no package at all is no success")

	timed := exec.Command("sh", "../../.ci/timed", "lint", file, "sh", "-c", "exit 3")
	require.Error(t, timed.Run())
	require.Equal(t, 3, timed.ProcessState.ExitCode())

	out.Reset()
	require.NoError(t, summary(&out, file))
	require.Regexp(t, `The parts.*\n +\d+s +\d+s  lint\nThe slowest tests:\n +2.5s  unit`, out.String())
	require.Contains(t, out.String(), "2.5s  unit: core TestA\n")
	require.NotContains(t, out.String(), "TestA/part")
	require.Contains(t, out.String(), "Skipped: 1\n  unit: core TestB: b_test.go:5: no server\n")
	require.Error(t, summary(&out, file+"2"))
}

// TestSkipsOfOneKindAreOneLine: hundreds of cases that one test leaves out say nothing more.
func TestSkipsOfOneKindAreOneLine(t *testing.T) {
	file := filepath.Join(t.TempDir(), "report")
	var lines strings.Builder
	for _, e := range []entry{
		{Part: "tests", Name: "a/b TestKit/one", Why: "x.go:1: takes long", Skipped: true},
		{Part: "tests", Name: "a/b TestKit/two/three", Why: "x.go:1: takes long", Skipped: true},
		{Part: "tests", Name: "a/b TestKit/four", Why: "x.go:1: no server", Skipped: true},
		{Part: "tests", Name: "a/c TestKit/one", Why: "x.go:1: takes long", Skipped: true},
	} {
		require.NoError(t, json.NewEncoder(&lines).Encode(e))
	}
	require.NoError(t, os.WriteFile(file, []byte(lines.String()), 0o600))
	var out bytes.Buffer
	require.NoError(t, summary(&out, file))
	_, skipped, _ := strings.Cut(out.String(), "Skipped: ")
	require.ElementsMatch(t, []string{
		"4",
		"  tests: 2 parts of a/b TestKit: x.go:1: takes long",
		"  tests: a/b TestKit/four: x.go:1: no server",
		"  tests: a/c TestKit/one: x.go:1: takes long",
	}, strings.Split(strings.TrimSpace(skipped), "\n"))
}
