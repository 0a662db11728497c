package main

import (
	_ "embed"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

//go:embed rows.txt
var list string

// The columns that are always printed. A row of rows.txt concerns every
// storage unless it names its columns; "browser" is what a real one must show, and
// "any" is for what no storage is part of. But for the browser, each has a column
// natively and one with the core as WebAssembly.
var (
	storages = []string{"cache", "filesystem", "file+shared", "sqlite", "postgres", "mysql", "redis", "cluster"}
	columns  = append(byEngine(append(slices.Clone(storages), "any")), browser)
)

const browser = "browser"

// byEngine names the two columns of each.
func byEngine(names []string) (all []string) {
	for _, name := range names {
		if all = append(all, name); name != browser {
			all = append(all, name+"+wasm")
		}
	}
	return all
}

// row is one line of rows.txt: number, sentence and, where not all storages
// are concerned, the columns, separated by commas.
type row struct {
	number, sentence string
	concerns         []string
}

func parseRows(text string) ([]row, error) {
	var rows []row
	seen := map[string]bool{}
	for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		fields := strings.Split(line, "\t")
		if len(fields) < 2 || len(fields) > 3 || fields[0] == "" || fields[1] == "" || seen[fields[0]] {
			return nil, fmt.Errorf("rows.txt, line %d: want a number of its own, a tab, a sentence, and columns if not all storages: %q", i+1, line)
		}
		seen[fields[0]] = true
		r := row{fields[0], fields[1], storages}
		if len(fields) == 3 {
			r.concerns = strings.Split(fields[2], ",")
		}
		r.concerns = byEngine(r.concerns)
		for _, c := range r.concerns {
			if !slices.Contains(columns, c) {
				return nil, fmt.Errorf("rows.txt, line %d: column %q; allowed: %s", i+1, c, strings.Join(columns, ", "))
			}
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// table is what is printed. A cell is empty where the row does not concern the
// column and no test says anything.
type table struct {
	columns  []string
	rows     []row
	cells    map[cell]verdict
	unlisted []string // tests of rows that rows.txt does not have
	troubles []string
}

func tabulate(rows []row, r run) table {
	t := table{columns: slices.Clone(columns), rows: rows, cells: map[cell]verdict{}, troubles: r.troubles}
	for c, v := range r.verdicts {
		if !slices.ContainsFunc(rows, func(r row) bool { return r.number == c.row }) {
			t.unlisted = append(t.unlisted, c.backend+"/"+c.row)
			continue
		}
		t.cells[c] = v
		if !slices.Contains(t.columns, c.backend) {
			t.columns = append(t.columns, c.backend)
		}
	}
	slices.Sort(t.columns[len(columns):])
	slices.Sort(t.unlisted)
	for _, row := range rows {
		for _, column := range row.concerns {
			c := cell{column, row.number}
			t.cells[c] = r.verdict(c)
		}
	}
	return t
}

// broken reports whether anything failed, also outside the rows.
func (t *table) broken() bool {
	for _, v := range t.cells {
		if v == failed {
			return true
		}
	}
	return len(t.troubles)+len(t.unlisted) > 0
}

func (t *table) write(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "row\t%s\tpromise\n", strings.Join(t.columns, "\t"))
	sums := map[cell]int{}
	for _, row := range t.rows {
		fmt.Fprint(w, row.number)
		for _, column := range t.columns {
			v := t.cells[cell{column, row.number}]
			sums[cell{column, string(v)}]++
			fmt.Fprint(w, "\t", v)
		}
		fmt.Fprintf(w, "\t%s\n", row.sentence)
	}
	for _, v := range severity {
		fmt.Fprint(w, v)
		for _, column := range t.columns {
			fmt.Fprint(w, "\t", sums[cell{column, string(v)}])
		}
		fmt.Fprint(w, "\t\n")
	}
	for _, u := range t.unlisted {
		fmt.Fprintf(w, "test %s is of no row in rows.txt\n", u)
	}
	for _, trouble := range t.troubles {
		fmt.Fprintf(w, "failed: %s\n", trouble)
	}
	return w.Flush()
}
