package demo

import (
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/rockstar-web/sessions"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

// maxRuns bounds the runs of proofs that a session keeps.
const maxRuns = 8

const runPrefix = "prove."

// A run is one press of a button of the page "Prove it". Its values are named after it,
// as "prove.<run>.added" is. Later runs sort after earlier ones.
type run string

func newRun(now time.Time) run { return run(fmt.Sprintf("%011x-%.8s", now.UnixMilli(), rand.Text())) }

func (r run) name() string { return runPrefix + string(r) + ".added" }

// added counts the additions of the run.
func (r run) added() sessions.Count { return sessions.Counter(r.name()) }

// runOf is the run that a request belongs to, if the session still has it.
func (s *site) runOf(w http.ResponseWriter, r *http.Request, v *nethttp.Session) (run, bool) {
	one := run(r.FormValue("run"))
	_, err := v.Peek(one.name())
	switch {
	case errors.Is(err, hosts.ErrNoValue):
		apiError(w, http.StatusNotFound, "This run is over, or belongs to another session. Press the button again.", "not_found")
	case err != nil:
		s.failed(w, r, err)
	}
	return one, err == nil
}

// runsOf finds the names of each run in a session.
func runsOf(names []string) map[run][]string {
	runs := map[run][]string{}
	for _, name := range names {
		rest, ours := strings.CutPrefix(name, runPrefix)
		if one, _, whole := strings.Cut(rest, "."); ours && whole {
			runs[run(one)] = append(runs[run(one)], name)
		}
	}
	return runs
}

// startRun drops the oldest runs of a session, so that there is room for one more.
func (s *site) startRun(v *nethttp.Session) (run, error) {
	runs := runsOf(v.Names())
	old := slices.Sorted(maps.Keys(runs))
	for _, one := range old[:max(0, len(old)-maxRuns+1)] {
		for _, name := range runs[one] {
			if err := v.Delete(name); err != nil {
				return "", err
			}
		}
		s.naive.forget(naiveKey{v.ID(), one})
	}
	one := newRun(s.now())
	return one, v.Put(one.name(), int64(0))
}
