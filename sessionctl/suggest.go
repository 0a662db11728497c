package sessionctl

import (
	"flag"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/rockstar-web/sessions/stores"
)

// nearest returns the word that was likely meant, or nothing.
func nearest(word string, words []string) (found string) {
	best := len(word)/3 + 1 // one wrong letter of three
	for _, w := range words {
		if d := distance(strings.ToLower(word), w); d <= best {
			best, found = d-1, w
		}
	}
	return found
}

// distance counts the letters to insert, delete, change or swap (Damerau 1964).
func distance(a, b string) int {
	rows := [3][]int{make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)}
	for j := range rows[1] {
		rows[1][j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last, row := rows[(i+2)%3], rows[i%3], rows[(i+1)%3]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := last[j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			row[j] = min(last[j]+1, row[j-1]+1, change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return rows[(len(a)+1)%3][len(b)]
}

func didYouMean(prefix, word string, words []string) string {
	if w := nearest(word, words); w != "" {
		return "; did you mean " + prefix + w + "?"
	}
	return ""
}

// The errors of package flag, which names flags with one dash and values by Go's
// types.
var (
	unknownFlag = regexp.MustCompile(`^flag provided but not defined: -(.*)$`)
	badValue    = regexp.MustCompile(`(?s)^invalid (?:boolean )?value (".*") for (?:flag )?-([a-z-]+): (.*)$`)
	noValue     = regexp.MustCompile(`^flag needs an argument: -(.*)$`)
)

// inOurWords turns an error of package flag into one that repeats what was typed
// and says what is allowed.
func inOurWords(set *flag.FlagSet, err error) error {
	text := err.Error()
	if m := unknownFlag.FindStringSubmatch(text); m != nil {
		var flags []string
		set.VisitAll(func(f *flag.Flag) { flags = append(flags, f.Name) })
		return fmt.Errorf("unknown flag --%s%s", stores.Typed(m[1]), didYouMean("--", m[1], flags))
	}
	if m := noValue.FindStringSubmatch(text); m != nil {
		return fmt.Errorf("--%s needs a value", m[1])
	}
	m := badValue.FindStringSubmatch(text)
	if m == nil {
		return err
	}
	allowed := strings.TrimPrefix(m[3], "allowed: ")
	switch allowed {
	case "parse error":
		allowed = kindOf(set.Lookup(m[2]))
	case "value out of range":
		allowed = fmt.Sprintf("%s of at most %d", kindOf(set.Lookup(m[2])), math.MaxInt)
	}
	value, err := strconv.Unquote(m[1])
	if err != nil {
		value = m[1]
	}
	return fmt.Errorf("--%s is %q; allowed: %s", m[2], stores.Typed(value), allowed)
}

func kindOf(f *flag.Flag) string {
	getter, ok := f.Value.(flag.Getter)
	if !ok {
		return "see its help"
	}
	switch getter.Get().(type) {
	case bool:
		return "true, false"
	case int, int64, uint, uint64:
		return "a whole number"
	case float64:
		return "a number"
	}
	return "a duration such as 90s, 30m or 24h"
}
