// Testreport shows what a go test -json prints as go test itself would, and keeps
// what a reader wants to know at the end: how long each part took, which .ci/timed
// adds, what was slow, and what was skipped.
//
//	go test -json ./... | go run ./release/testreport NAME FILE    show, and add to FILE
//	go run ./release/testreport FILE                               show what FILE has
package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// slowest is how many tests are named at the end.
const slowest = 10

// marker is what a test logs that runs its long form (internal/soak): what else it
// logs is shown then.
const marker = "in make soak: "

// event is a line of test2json (go doc test2json).
type event struct {
	Action, Package, Test, Output string
	Elapsed                       float64 // seconds
}

// entry is a test to be named at the end, or, without a name, a part.
type entry struct {
	Part, Name, Why string
	Skipped         bool
	Seconds         float64
	Processors      float64 // seconds, of a part
}

func main() {
	var err error
	switch len(os.Args) {
	case 3:
		err = show(os.Stdin, os.Stdout, os.Args[1], os.Args[2])
	case 2:
		err = summary(os.Stdout, os.Args[1])
	default:
		err = fmt.Errorf("the arguments are %q; allowed: NAME FILE, or FILE", os.Args[1:])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "testreport:", err)
		os.Exit(1)
	}
}

func show(in io.Reader, out io.Writer, part, file string) error {
	start := time.Now()
	r := &reader{out: out, part: part, said: map[string][]string{}}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			fmt.Fprintln(out, lines.Text()) // of the compiler
			continue
		}
		r.read(e)
	}
	if err := lines.Err(); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s: %d tests in %d packages, %d failed, %d skipped, %v\n\n", part, r.tests, r.packages, r.failed, r.skipped, time.Since(start).Round(time.Second))
	if err := r.keep(file); err != nil {
		return err
	}
	if r.failed > 0 || r.packages == 0 {
		return fmt.Errorf("%s failed", part)
	}
	return nil
}

type reader struct {
	out                              io.Writer
	part                             string
	said                             map[string][]string // by test, until it ends
	entries                          []entry
	tests, packages, failed, skipped int
}

func (r *reader) read(e event) {
	name := e.Package + " " + e.Test
	switch e.Action {
	case "output", "build-output":
		r.said[name] = append(r.said[name], e.Output)
	case "build-fail":
		fmt.Fprint(r.out, strings.Join(r.said[name], ""))
	case "pass", "fail", "skip":
		r.end(e, name)
		delete(r.said, name)
	}
}

func (r *reader) end(e event, name string) {
	said := strings.Join(r.said[name], "")
	if e.Test == "" {
		r.packages++
		if e.Action == "fail" {
			r.failed++
			fmt.Fprint(r.out, said)
		} else if e.Action == "pass" {
			fmt.Fprintf(r.out, "ok    %-60s %.1fs\n", e.Package, e.Elapsed)
		}
		return
	}
	r.tests++
	if e.Action == "fail" || strings.Contains(said, marker) {
		fmt.Fprint(r.out, said)
	}
	one := entry{Part: r.part, Name: strings.TrimPrefix(name, "github.com/rockstar-web/sessions/"), Seconds: e.Elapsed}
	switch e.Action {
	case "fail":
		r.failed++
	case "skip":
		r.skipped++
		one.Skipped, one.Why = true, reason(r.said[name])
		r.entries = append(r.entries, one)
		return
	}
	if !strings.Contains(e.Test, "/") {
		r.entries = append(r.entries, one)
	}
}

// reason is what a test said before it was skipped.
func reason(said []string) string {
	for _, line := range said {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "===") && !strings.HasPrefix(line, "---") {
			return line
		}
	}
	return "it does not say why"
}

// keep adds what is to be named at the end: skips, and the slowest.
func (r *reader) keep(file string) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	out := json.NewEncoder(f)
	for _, e := range named(r.entries) {
		if err := out.Encode(e); err != nil {
			return err
		}
	}
	return f.Close()
}

// named are the skips and the slowest of the others.
func named(entries []entry) []entry {
	slices.SortStableFunc(entries, func(a, b entry) int { return cmp.Compare(b.Seconds, a.Seconds) })
	var list []entry
	slow := 0
	for _, e := range entries {
		if !e.Skipped {
			if slow++; slow > slowest {
				continue
			}
		}
		list = append(list, e)
	}
	return list
}

func summary(out io.Writer, file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	var entries []entry
	for in := json.NewDecoder(f); in.More(); {
		var e entry
		if err := in.Decode(&e); err != nil {
			return err
		}
		entries = append(entries, e)
	}
	fmt.Fprintln(out, "The parts, on the clock and of the processors:")
	for _, e := range entries {
		if e.Name == "" {
			fmt.Fprintf(out, "  %6.0fs %6.0fs  %s\n", e.Seconds, e.Processors, e.Part)
		}
	}
	entries = named(slices.DeleteFunc(entries, func(e entry) bool { return e.Name == "" }))
	fmt.Fprintln(out, "The slowest tests:")
	skips := 0
	for _, e := range entries {
		if e.Skipped {
			skips++
		} else {
			fmt.Fprintf(out, "  %7.1fs  %s: %s\n", e.Seconds, e.Part, e.Name)
		}
	}
	fmt.Fprintf(out, "Skipped: %d\n", skips)
	alike := map[kind]int{}
	for _, e := range entries {
		if e.Skipped {
			alike[e.kind()]++
		}
	}
	for _, e := range entries {
		switch n := alike[e.kind()]; {
		case !e.Skipped || n == 0: // or shown already
		case n == 1:
			fmt.Fprintf(out, "  %s: %s: %s\n", e.Part, e.Name, e.Why)
		default:
			fmt.Fprintf(out, "  %s: %d parts of %s: %s\n", e.Part, n, e.kind().test, e.Why)
			alike[e.kind()] = 0
		}
	}
	return nil
}

// kind is what parts of one test have in common that were skipped for one reason.
type kind struct{ part, test, why string }

func (e entry) kind() kind {
	folder, test, _ := strings.Cut(e.Name, " ")
	test, _, _ = strings.Cut(test, "/")
	return kind{e.Part, folder + " " + test, e.Why}
}
