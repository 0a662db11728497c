package conformance

import (
	"bytes"
	"context"
	"fmt"
	"regexp"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync/atomic"
)

// Goroutines inherit the labels of those that start them: so the kit can
// count those of one case, also while other tests run.
const labelKey = "conformance"

var labels atomic.Int64

// labelled runs f, and all goroutines that begin in it, under a label of their
// own, which caseLabel returns.
func labelled(ctx context.Context, name string, f func(ctx context.Context)) {
	label := fmt.Sprintf("%s %d", name, labels.Add(1))
	pprof.Do(ctx, pprof.Labels(labelKey, label), f)
}

func caseLabel(ctx context.Context) string {
	label, _ := pprof.Label(ctx, labelKey)
	return label
}

// alive is the goroutines of one label.
type alive struct {
	count int
	most  string // the stack that most of them have
	peak  int    // how many
}

var labelPattern = regexp.MustCompile(`# labels: .*"` + labelKey + `":"([^"]*)"`)

// goroutines returns those that are alive now, by label.
func goroutines() map[string]alive {
	var profile bytes.Buffer
	_ = pprof.Lookup("goroutine").WriteTo(&profile, 1) // a buffer takes all
	all := make(map[string]alive)
	for entry := range strings.SplitSeq(profile.String(), "\n\n") {
		label := labelPattern.FindStringSubmatch(entry)
		if label == nil {
			continue
		}
		if strings.HasPrefix(entry, "goroutine profile:") {
			_, entry, _ = strings.Cut(entry, "\n")
		}
		text, _, _ := strings.Cut(entry, " ")
		n, _ := strconv.Atoi(text)
		of := all[label[1]]
		of.count += n
		if n > of.peak {
			of.peak, of.most = n, entry
		}
		all[label[1]] = of
	}
	return all
}
