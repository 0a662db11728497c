package main

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/internal/soak"
)

// rest is what all storages but one say where no test ran.
var rest = strings.TrimSpace(strings.Repeat("missing ", 2*len(storages)-1))

const three = "01\tFirst.\n02\tSecond.\tany\nE1\tThird.\tcache,filesystem\n"

func line(action, test string) string {
	return fmt.Sprintf("{\"Action\":%q,\"Package\":\"p\",\"Test\":%q}\n", action, test)
}

func printed(t *testing.T, events string) (text string, broken bool) {
	t.Helper()
	rows, err := parseRows(three)
	require.NoError(t, err)
	r, err := readRun(strings.NewReader(events))
	require.NoError(t, err)
	table := tabulate(rows, r)
	var b strings.Builder
	require.NoError(t, table.write(&b))
	return b.String(), table.broken()
}

// cells returns the words of a row, up to its sentence.
func cells(t *testing.T, text, number string) string {
	t.Helper()
	for line := range strings.SplitSeq(text, "\n") {
		if f := strings.Fields(line); len(f) > 1 && f[0] == number {
			return strings.Join(f[1:len(f)-1], " ")
		}
	}
	t.Fatalf("no row %s in:\n%s", number, text)
	return ""
}

func TestOnlyPassedTestsAreOK(t *testing.T) {
	for _, c := range []struct{ name, events, first string }{
		{"nothing ran", "", "missing " + rest},
		{"passed", line("run", "TestMission/cache/01") + line("pass", "TestMission/cache/01"), "ok " + rest},
		{"began and never ended", line("run", "TestMission/cache/01"), "FAIL " + rest},
		{"skipped", line("run", "TestMission/cache/01") + line("skip", "TestMission/cache/01"), "skip " + rest},
		{"left to make soak", fmt.Sprintf(`{"Action":"output","Test":"TestMission/cache/01","Output":"x.go:1: %s"}`+"\n", soak.Short) + line("skip", "TestMission/cache/01"), "soak " + rest},
		{"failed", line("fail", "TestMission/filesystem/01"), "missing missing FAIL" + rest[len("missing missing"):]},
		{"failed once and passed once", line("fail", "TestMission/cache/01") + line("pass", "TestMission/cache/01"), "FAIL " + rest},
		{"passed once and skipped once", line("pass", "TestMission/cache/01") + line("skip", "TestMission/cache/01"), "skip " + rest},
		{"only a part passed", line("pass", "TestMission/cache/01/part"), "missing " + rest},
		{"another test", line("pass", "TestOther/cache/01"), "missing " + rest},
		{"the whole backend", line("pass", "TestMission/cache"), "missing " + rest},
		{"only output", `{"Action":"output","Test":"TestMission/cache/01","Output":"ok"}`, "missing " + rest},
	} {
		t.Run(c.name, func(t *testing.T) {
			text, broken := printed(t, c.events)
			require.Equal(t, c.first, cells(t, text, "01"))
			require.Equal(t, strings.Contains(c.first, "FAIL"), broken)
		})
	}
}

func TestColumns(t *testing.T) {
	text, broken := printed(t, line("pass", "TestMission/any/02")+line("pass", "TestMission/tape/01"))
	require.False(t, broken)
	require.Equal(t, "missing "+rest+" ok", cells(t, text, "01"), "a new backend gets a column")
	require.Equal(t, "ok missing", cells(t, text, "02"), "no storage is concerned")
	require.Equal(t, "missing missing missing missing", cells(t, text, "E1"))
	require.Equal(t, strings.Repeat("0 ", 2*len(storages))+"1 0 0 1", strings.Join(strings.Fields(lineOf(t, text, "ok "))[1:], " "))
}

func lineOf(t *testing.T, text, start string) string {
	t.Helper()
	for line := range strings.SplitSeq(text, "\n") {
		if strings.HasPrefix(line, start) {
			return line
		}
	}
	t.Fatalf("no line %q in:\n%s", start, text)
	return ""
}

func TestTroubleIsNeverSilent(t *testing.T) {
	for name, c := range map[string]struct{ events, says string }{
		"package":      {`{"Action":"fail","Package":"p"}`, "failed: p"},
		"build":        {`{"Action":"build-fail","ImportPath":"p [p.test]"}`, "failed: p [p.test]"},
		"other test":   {line("fail", "TestOther"), "failed: p TestOther"},
		"unlisted row": {line("pass", "TestMission/cache/99"), "test cache/99 is of no row"},
	} {
		text, broken := printed(t, c.events)
		require.True(t, broken, name)
		require.Contains(t, text, c.says, name)
	}
	_, err := readRun(strings.NewReader("# package p\nsyntax error\n"))
	require.ErrorContains(t, err, "not a line of go test -json")
}

func TestRows(t *testing.T) {
	rows, err := parseRows(list)
	require.NoError(t, err)
	last := 0 // numbers may be missing: they stand for what other packages test
	for i, r := range rows {
		require.True(t, strings.HasSuffix(r.sentence, "."), r.sentence)
		if i < 89 {
			require.Equal(t, fmt.Sprintf("%02d", i+1), r.number)
			continue
		}
		n, err := strconv.Atoi(strings.TrimPrefix(r.number, "E"))
		require.NoError(t, err)
		require.Greater(t, n, last, "in their order")
		last = n
	}
	for _, bad := range []string{"", "01", "01\t", "\tNo number.", "01\tA.\n01\tB.", "01\tA.\tdrum", "01\tA.\tany\tmore"} {
		_, err := parseRows(bad)
		require.Error(t, err, "%q", bad)
	}
}
