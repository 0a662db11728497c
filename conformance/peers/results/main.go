// Results reads the output of benchmarks that print ratio lines, each perhaps
// several times, and writes them as a table: median and range of each, with the
// target and the verdict over the median. A line that lines.txt lists and no
// run printed is written as missing. Stores that were measured while full get a
// table each, with their verbs.
//
//	go test -bench Ratio -benchtime 1x -count 5 ./... | results > RESULTS.md
package main

import (
	"bufio"
	_ "embed"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

//go:embed lines.txt
var listed string

// line is one ratio: what it is of, and the values that the rounds had.
type line struct {
	name, sentence string
	values         []float64
	target         float64
	atMost, told   bool // which side of the target is good, once a value tells
}

func main() {
	if err := run(os.Stdin, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "results:", err)
		os.Exit(1)
	}
}

func run(in io.Reader, out, echo io.Writer) error {
	sections, err := parseListed(listed)
	if err != nil {
		return err
	}
	byName := map[string]*line{}
	for _, s := range sections {
		for _, l := range s.lines {
			byName[l.name] = l
		}
	}
	other := section{title: "Others"}
	var full filled
	scan := bufio.NewScanner(in)
	for scan.Scan() {
		fmt.Fprintln(echo, scan.Text())
		fields := strings.Fields(scan.Text())
		if len(fields) > 0 && strings.HasPrefix(fields[0], "Benchmark") { // go test prints the name first, on the same line
			fields = fields[1:]
		}
		if ok, err := full.take(fields); err != nil {
			return err
		} else if ok {
			continue
		}
		if len(fields) < 5 || fields[0] != "ratio" {
			continue
		}
		value, err1 := strconv.ParseFloat(fields[2], 64)
		target, err2 := strconv.ParseFloat(fields[3], 64)
		if err1 != nil || err2 != nil {
			return fmt.Errorf("not a ratio line: %q", scan.Text())
		}
		l := byName[fields[1]]
		if l == nil {
			l = &line{name: fields[1], sentence: fields[1]}
			byName[l.name] = l
			other.lines = append(other.lines, l)
		}
		l.values = append(l.values, value)
		l.target = target
		if value != target { // which side is good follows from any verdict
			l.atMost, l.told = (value < target) == (fields[4] == "ok"), true
		}
	}
	if err := scan.Err(); err != nil {
		return err
	}
	return write(out, append(sections, other), &full)
}

type section struct {
	title string
	lines []*line
}

// parseListed reads lines.txt: "# section", then "name<tab>sentence".
func parseListed(text string) ([]section, error) {
	var all []section
	seen := map[string]bool{}
	for n, row := range strings.Split(strings.TrimSpace(text), "\n") {
		title, isTitle := strings.CutPrefix(row, "# ")
		name, sentence, ok := strings.Cut(row, "\t")
		switch {
		case isTitle:
			all = append(all, section{title: title})
		case row == "":
		case !ok || seen[name] || len(all) == 0:
			return nil, fmt.Errorf("lines.txt, line %d: want a name of its own, a tab and a sentence, below a section: %q", n+1, row)
		default:
			seen[name] = true
			last := &all[len(all)-1]
			last.lines = append(last.lines, &line{name: name, sentence: sentence})
		}
	}
	return all, nil
}

func write(out io.Writer, sections []section, full *filled) error {
	w := bufio.NewWriter(out)
	fmt.Fprintf(w, "# Results\n\nWritten by the benchmarks themselves, on %d processors (%s/%s, %s). Every line is measured side by side in one run;\n"+
		"the median of the rounds counts, and the range that they had stands beside it.%s\n", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version(), load())
	counts := map[string]int{}
	for _, s := range sections {
		if len(s.lines) == 0 {
			continue
		}
		fmt.Fprintf(w, "\n## %s\n\n| what | median | range | rounds | to reach | |\n|---|---|---|---|---|---|\n", s.title)
		for _, l := range s.lines {
			fmt.Fprintln(w, l.row(counts))
		}
	}
	full.write(w)
	fmt.Fprintf(w, "\n%d met, %d short, %d missing.\n", counts["met"], counts["**short**"], counts["**missing**"])
	return w.Flush()
}

// load tells how busy the machine was, where it says so: with much else to do,
// whoever has more processes gets more of it.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	fields := strings.Fields(string(text))
	if err != nil || len(fields) < 3 {
		return ""
	}
	return " At the end the load average was " + strings.Join(fields[:3], ", ") + "."
}

func (l *line) row(counts map[string]int) string {
	if len(l.values) == 0 {
		counts["**missing**"]++
		return fmt.Sprintf("| %s | | | 0 | | **missing** |", l.sentence)
	}
	slices.Sort(l.values)
	median := l.values[len(l.values)/2]
	verdict, bound := "met", ""
	switch {
	case l.atMost:
		bound = "at most "
	case l.told:
		bound = "at least "
	}
	if median != l.target && (median < l.target) != l.atMost {
		verdict = "**short**"
	}
	counts[verdict]++
	return fmt.Sprintf("| %s | %.3g | %.3g to %.3g | %d | %s%.3g | %s |", l.sentence, median,
		l.values[0], l.values[len(l.values)-1], len(l.values), bound, l.target, verdict)
}
