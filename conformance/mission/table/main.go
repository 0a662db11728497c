// Command table turns the JSON output of the mission tests into a table: one
// line for each row, one column for each backend.
//
//	go test -race -json ./conformance/mission | go run ./conformance/mission/table
//
// Only a test that ran and passed makes a cell ok. A row without a test is
// printed as missing, and one that only `make soak` plays in this column as soak. The exit status is 1 when a test failed or the run broke.
package main

import (
	"fmt"
	"os"
)

func main() {
	rows, err := parseRows(list)
	if err != nil {
		exit(err)
	}
	run, err := readRun(os.Stdin)
	if err != nil {
		exit(err)
	}
	t := tabulate(rows, run)
	if err := t.write(os.Stdout); err != nil {
		exit(err)
	}
	if t.broken() {
		os.Exit(1)
	}
}

func exit(err error) {
	fmt.Fprintln(os.Stderr, "mission:", err)
	os.Exit(1)
}
