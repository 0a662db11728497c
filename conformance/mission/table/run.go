package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/rockstar-web/sessions/internal/soak"
)

// maxLine bounds one line of test output, in bytes.
const maxLine = 16 << 20

// A verdict is what a cell of the table says.
type verdict string

const (
	missing verdict = "missing"
	passed  verdict = "ok"
	soaked  verdict = "soak" // left to make soak
	skipped verdict = "skip"
	failed  verdict = "FAIL"
)

// severity orders verdicts: where several tests fill one cell, the worst holds.
var severity = []verdict{missing, passed, soaked, skipped, failed}

// cell is the place of one test: TestMission/backend/row.
type cell struct{ backend, row string }

// run is what one or more test runs said.
type run struct {
	verdicts map[cell]verdict
	troubles []string // packages and tests outside the cells that failed
}

// event is one line of test2json.
type event struct{ Action, Package, ImportPath, Test, Output string }

// readRun reads test2json lines. A cell whose test began and never ended
// counts as failed. Lines that are not JSON are an error: piped in from a
// broken build, they would look like a run without tests.
func readRun(r io.Reader) (run, error) {
	out := run{verdicts: map[cell]verdict{}}
	open, left := map[cell]int{}, map[cell]bool{}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return out, fmt.Errorf("not a line of go test -json: %.80q: %w", lines.Text(), err)
		}
		c, ok := cellOf(e.Test)
		switch {
		case !ok && (e.Action == "fail" || e.Action == "build-fail"):
			out.troubles = append(out.troubles, strings.TrimSpace(e.Package+e.ImportPath+" "+e.Test))
		case !ok:
		case e.Action == "run":
			open[c]++
		case e.Action == "output":
			left[c] = left[c] || strings.Contains(e.Output, soak.Short)
		case e.Action == "pass":
			open[c]--
			out.note(c, passed)
		case e.Action == "skip":
			open[c]--
			if left[c] {
				out.note(c, soaked)
				break
			}
			out.note(c, skipped)
		case e.Action == "fail":
			open[c]--
			out.note(c, failed)
		}
	}
	for c, n := range open {
		if n > 0 {
			out.note(c, failed)
		}
	}
	return out, lines.Err()
}

func (r *run) note(c cell, v verdict) {
	if slices.Index(severity, v) > slices.Index(severity, r.verdict(c)) {
		r.verdicts[c] = v
	}
}

func (r *run) verdict(c cell) verdict {
	if v, ok := r.verdicts[c]; ok {
		return v
	}
	return missing
}

// cellOf reads the name of a row's test; what lies deeper is part of its row.
func cellOf(test string) (cell, bool) {
	parts := strings.Split(test, "/")
	if len(parts) != 3 || parts[0] != "TestMission" {
		return cell{}, false
	}
	return cell{parts[1], parts[2]}, true
}
