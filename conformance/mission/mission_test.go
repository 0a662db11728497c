// Package mission holds the mission's rows as tests: each drives a site over
// real HTTP, with a browser's cookie jar, on every backend that it concerns.
//
// The tests are named TestMission/backend/row, such as TestMission/cache/07, and
// TestMission/cache+wasm/07 where the core runs as WebAssembly; what no storage is
// part of is TestMission/any/row. The sentences of the rows
// stand in table/rows.txt, from which the table command prints who keeps them.
package mission

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/internal/soak"
)

// row is the test of one row of table/rows.txt.
type row struct {
	number string
	test   func(t *testing.T, b backend)
}

var rows = slices.Concat(overview, choices, configuration, backendRows, databases, use, validation, security, practice,
	troubleshooting, beyond, surroundings, people, frameworks, truth, full, cachedRows, limits, forwarding, signIn, operate, quiet, devices)

func TestMission(t *testing.T) {
	concerns := concerned(t)
	for _, b := range twice(append(slices.Clone(backends), backend{name: "any"})) {
		t.Run(b.column(), func(t *testing.T) {
			for i, r := range rows {
				if slices.Contains(concerns[r.number], b.name) {
					t.Run(r.number, func(t *testing.T) {
						if !soak.On() && leftOut(b, i, concerns[r.number]) {
							t.Skip(soak.Short)
						}
						r.test(t, b)
					})
				}
			}
		})
	}
}

// What is left to make soak. In memory all rows are played, natively and with the core as
// WebAssembly. Of the other stores each plays one in nativeShare natively, and one in
// wasmShare with WebAssembly: of each row others than of its neighbours. A row of few
// stores, and what everything here is for, is played natively on all.
const (
	nativeShare = 2
	wasmShare   = 6
	fewStores   = 4
)

// No update is lost and no logout undone, and zones change nothing.
var onAll = []string{"E14", "E15", "E20", "84"}

func leftOut(b backend, row int, concerned []string) bool {
	at := slices.Index(concerned, b.name)
	switch {
	case b.name == "cache" || b.name == "any":
		return false
	case b.wasm:
		return (row+at)%wasmShare != 0
	}
	return len(concerned) > fewStores && !slices.Contains(onAll, rows[row].number) && (row+at)%nativeShare != 0
}

// concerned reads which backends each row concerns, and holds the rows here to
// that list.
func concerned(t *testing.T) map[string][]string {
	text, err := os.ReadFile("table/rows.txt")
	require.NoError(t, err)
	concerns := map[string][]string{}
	for line := range strings.Lines(string(text)) {
		fields := strings.Split(strings.TrimSpace(line), "\t")
		if len(fields) == 3 {
			concerns[fields[0]] = strings.Split(fields[2], ",")
			continue
		}
		for _, b := range backends {
			concerns[fields[0]] = append(concerns[fields[0]], b.name)
		}
	}
	seen := map[string]bool{}
	for _, r := range rows {
		require.Contains(t, concerns, r.number, "a row that the list does not have")
		require.False(t, seen[r.number], "row %s stands here twice", r.number)
		seen[r.number] = true
	}
	return concerns
}
