package conformance

import (
	"context"
	"fmt"
	"slices"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/values"
)

// The acts whose outcome depends on what was stored, and their values: "sum" is
// added to, every mark is appended to "log" by an update, and to "chain" by
// writing what was read with the mark behind it; "prize" is there once.
const (
	adding    act = "add"
	updating  act = "update"
	rewriting act = "read and write"
	taking    act = "take"
)

var markedActs = []act{adding, updating, rewriting, rewriting, taking}

const prize = "gold"

// mark does such a deed: by the session's ID, but for what is read, which is of
// one request.
func (c *scene) marks(ctx context.Context, m *hosts.Manager, x *hosts.Request, d *deed) {
	switch d.act {
	case adding:
		d.name = "sum"
		_, d.err = m.Add(ctx, c.id, "sum", 1)
	case updating:
		d.name = "log"
		d.err = m.Update(ctx, c.id, "log", func(old any, _ bool) (any, error) {
			list, _ := old.([]any)
			return append(slices.Clone(list), d.value), nil
		})
	case taking:
		d.name = "prize"
		if c.flaw == "get and delete" {
			if d.value, d.err = m.Get(ctx, c.id, "prize"); d.err == nil {
				d.err = m.Delete(ctx, c.id, "prize")
			}
			return
		}
		d.value, d.err = m.Take(ctx, c.id, "prize")
	case rewriting:
		d.name = "chain"
		d.err = c.rewrite(m, x, d)
	}
}

func (c *scene) rewrite(m *hosts.Manager, x *hosts.Request, d *deed) error {
	s, err := m.Resume(x)
	if err != nil {
		return err
	}
	d.opened, d.session = s.ID(), s.ID()
	var list []any
	if raw, ok := s.Read("chain"); ok {
		v, err := core.DecodeValue(raw)
		if err != nil {
			return err
		}
		list, _ = v.([]any)
	}
	raw, err := values.Encode("chain", append(slices.Clone(list), d.value))
	if err == nil {
		err = s.SetValue("chain", raw)
	}
	if err == nil {
		_, err = m.Commit(x, s)
	}
	return err
}

// judgeMarks holds what a deed saw to the marks that were left, and to whoever
// has taken the prize.
func (c *scene) judgeMarks(r *deed) {
	for _, name := range []string{"log", "chain"} {
		list, _ := r.seen[name].([]any)
		seen := map[any]int{}
		for _, mark := range list {
			if seen[mark]++; seen[mark] > 1 {
				c.fail("%s sees the mark %q twice in %q", r, mark, name)
			}
		}
		for _, w := range c.deeds {
			if w.name != name || w.session != r.opened && w.session != c.id {
				continue
			}
			switch there := seen[w.value] > 0; {
			case !there && w.session == r.opened && w.done() && c.known(w, r):
				c.fail("%s does not see in %q what %s has added", r, name, w)
			case there && !w.done() && !w.unknown():
				c.fail("%s sees in %q a mark of %s, which was refused", r, name, w)
			}
		}
	}
	for _, w := range c.deeds {
		if w.act == taking && w.done() && r.opened == c.id && c.known(w, r) && r.seen["prize"] != nil {
			c.fail("%s sees what %s has taken", r, w)
		}
	}
}

// judgePrize holds the prize to having one winner.
func (c *scene) judgePrize() {
	winners := []string{}
	for _, d := range c.deeds {
		if d.act == taking && d.done() {
			winners = append(winners, fmt.Sprint(d))
		}
	}
	if len(winners) > 1 {
		c.fail("the prize was taken by several: %q", winners)
	}
}
