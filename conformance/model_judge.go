package conformance

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/feed"
)

// judge looks at what is there at the end, as the last of the readers, and
// holds every deed to the promises.
func (c *scene) judge() {
	if c.broken != "" {
		return
	}
	slices.SortFunc(c.deeds, func(a, b *deed) int { return cmp.Or(a.end-b.end, a.who-b.who) })
	acts := len(c.deeds)
	for _, id := range c.sessions() {
		n, err := c.managers[0].Load(context.Background(), id)
		switch {
		case err == nil:
			c.deeds = append(c.deeds, &deed{who: -1, act: reading, begin: math.MaxInt - 1, end: math.MaxInt, opened: id, seen: n.Data})
		case !errors.Is(err, core.ErrNotFound):
			c.fail("session %v cannot be loaded in the end: %v", id, err)
		}
	}
	given := c.cookies()
	for _, cookie := range slices.SortedFunc(maps.Keys(given), func(a, b string) int { return cmp.Or(given[a]-given[b], cmp.Compare(a, b)) }) {
		d := &deed{who: -1, act: reading, begin: math.MaxInt - 1, shown: cookie}
		c.visit(context.Background(), c.managers[0], d)
		d.end = math.MaxInt
		c.deeds = append(c.deeds, d)
	}
	c.closeCaches()
	for _, d := range c.deeds[:acts] {
		c.typed(d)
	}
	c.judgePrize()
	for _, d := range c.deeds {
		if d.seen != nil {
			c.judgeRead(d)
			c.judgeMarks(d)
		}
		if d.done() {
			c.judgeEnd(d)
			c.judgeLogin(d)
		}
	}
}

// typed holds an error to being one that a program can tell.
func (c *scene) typed(d *deed) {
	var refusal *core.Refusal
	if d.err == nil || errors.As(d.err, &refusal) {
		return
	}
	for _, known := range []error{hosts.ErrUnavailable, hosts.ErrUnknown, hosts.ErrBusy, hosts.ErrNoValue, core.ErrConflict} {
		if errors.Is(d.err, known) {
			return
		}
	}
	c.fail("%s: the error is none that is documented: %v", d, d.err)
}

// sessions are those that deeds were in, the first one first.
func (c *scene) sessions() []core.ID {
	all := []core.ID{c.id}
	seen := map[core.ID]bool{c.id: true}
	for _, d := range c.deeds {
		if !seen[d.session] {
			seen[d.session] = true
			all = append(all, d.session)
		}
	}
	return all
}

// cookies returns when each cookie was given.
func (c *scene) cookies() map[string]int {
	all := map[string]int{c.cookie: 0}
	for _, d := range c.deeds {
		if d.given != "" {
			all[d.given] = d.end
		}
	}
	return all
}

// known reports whether a deed was over before another began. With caches that must not
// see what is younger than a lease.
func (c *scene) known(w, r *deed) bool {
	return w.end < r.begin && (c.caches == nil || r.who < 0 || r.began.Sub(w.over) >= feed.Lease)
}

// judgeRead holds what a deed saw to what was written before and meanwhile.
func (c *scene) judgeRead(r *deed) {
	least, most := map[string]int{}, map[string]int{}
	names := map[string]bool{}
	for _, w := range c.deeds {
		// A second login begins a session with what its request had loaded.
		loaded := w.session == c.id && r.opened != c.id
		if w.name == "" || w.session != r.opened && !loaded {
			continue
		}
		before := w.done() && c.known(w, r)
		switch w.name {
		case "hits", "sum":
			if before && !loaded {
				least[w.name]++
			}
			if w.begin < r.end && (w.done() || w.unknown()) {
				most[w.name]++
			}
			continue
		case "log", "chain", "prize": // see judgeMarks
			continue
		}
		if loaded {
			continue
		}
		if before && r.seen[w.name] == nil {
			c.fail("%s sees no %q, which %s has set", r, w.name, w)
		}
		names[w.name] = true
	}
	for name := range names {
		if value := r.seen[name]; value != nil {
			c.judgeValue(r, name, value)
		}
	}
	for _, name := range []string{"hits", "sum"} {
		if n, _ := r.seen[name].(int); n < least[name] || n > most[name] {
			c.fail("%s sees a count of %d in %q, and %d to %d were counted", r, n, name, least[name], most[name])
		}
	}
}

// judgeValue finds who wrote a value, and that nobody has overwritten it since.
func (c *scene) judgeValue(r *deed, name string, value any) {
	var writer *deed
	for _, w := range c.deeds {
		if w.name == name && w.value == value && w.session == r.opened {
			writer = w
		}
	}
	switch {
	case writer == nil:
		c.fail("%s sees %q of %q, which nobody has set", r, value, name)
		return
	case writer.begin > r.end || !writer.done() && !writer.unknown():
		c.fail("%s sees a value of %s, which was refused or had not begun", r, writer)
	}
	for _, w := range c.deeds {
		if w.name == name && w.session == r.opened && w.done() && writer.end < w.begin && c.known(w, r) {
			c.fail("%s sees what %s has set, and not what %s has set after that", r, writer, w)
		}
	}
}

// judgeEnd holds all who come after the end of sessions to not being in one.
func (c *scene) judgeEnd(end *deed) {
	for _, d := range c.deeds {
		if d.seen == nil || d.begin <= end.end {
			continue
		}
		switch end.act {
		case destroying, revoking:
			if d.opened == c.id {
				c.fail("%s is in a session that %s has ended", d, end)
			}
		case sweeping:
			if begun, anns := c.begun(d.opened); anns && begun < end.begin {
				c.fail("%s is in a session that %s has ended", d, end)
			}
		}
	}
}

// begun returns when a session was known to be there, and whether it is the
// first user's.
func (c *scene) begun(id core.ID) (when int, anns bool) {
	if id == c.id {
		return 0, true
	}
	for _, d := range c.deeds {
		if d.session == id && (d.act == arriving || d.act == loggingIn) && d.done() {
			return d.end, true
		}
	}
	return 0, false
}

// judgeLogin holds all who come after a login or renewal with a cookie from
// before it to being refused.
func (c *scene) judgeLogin(login *deed) {
	if login.act != loggingIn && login.act != renewing {
		return
	}
	given := c.cookies()
	for _, d := range c.deeds {
		at, known := given[d.shown]
		if d.seen != nil && d.opened == login.session && known && c.known(login, d) && at < login.begin {
			c.fail("%s opens the session by a cookie from before %s", d, login)
		}
	}
}

func (d *deed) String() string {
	if d.who < 0 {
		return "who looks in the end"
	}
	return fmt.Sprintf("request %d (calls %d to %d: %s)", d.who, d.begin, d.end, d.act)
}
