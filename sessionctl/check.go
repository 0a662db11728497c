package sessionctl

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"
	"time"

	"github.com/rockstar-web/sessions/conformance"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/stores"
)

// dropTimeout bounds the removal of a scratch namespace, also after an interrupt.
const dropTimeout = 30 * time.Second

var checkCommand = Command{
	Name: "check", Args: "[STORE]", Brief: "test your own server against the contract of a session store",
	About: `Tests your own server with the cases that every store of this project passes, as two
processes would use it. Each case creates a table, a prefix of keys, a directory or a file
of its own, with "check_" in its name, and removes it. Your sessions are not touched.
It takes some minutes at most, and puts load on the server. With --brief it takes seconds.
If the server breaks a promise, the command prints what it saw, and the exit code is 1.`,
	Examples: []string{`sessionctl check postgres://app@db/shop`, `sessionctl check --brief redis://localhost:6379`},
	Flags: func(set *flag.FlagSet) func(context.Context, *Program, []string) error {
		c := &checking{}
		c.target.add(set)
		set.BoolVar(&c.brief, "brief", false, "skip the cases that take long, such as races")
		return c.run
	},
}

type checking struct {
	target
	brief  bool
	p      *Program
	counts map[string]int // by result
	failed error          // of the scratch namespaces or of writing, not of a promise
}

// The results of a case.
const (
	kept    = "kept"
	broken  = "broken"
	skipped = "skipped" // the store does not implement the interface that promises it, or --brief
)

// checked is one case as it is reported.
type checked struct {
	Case    string `json:"case"`
	Result  string `json:"result"`
	Promise string `json:"promise"`
	Seen    string `json:"seen,omitempty"`
}

func (c *checking) run(ctx context.Context, p *Program, args []string) error {
	c.p, c.counts = p, map[string]int{}
	if len(args) > 1 || len(args) == 1 && c.url != "" {
		return Usagef("check: several stores are named; allowed: one, as the argument or with --store")
	}
	if len(args) == 1 {
		c.url = args[0]
	}
	url, err := c.name()
	if err != nil {
		return err
	}
	if err := c.try(ctx, url); err != nil {
		return stopped(ctx, "check", opened(err))
	}
	start := p.Now()
	var options []conformance.Option
	if c.brief {
		options = append(options, conformance.Brief())
	}
	conformance.CheckEach(ctx, func() (a, b hosts.Store, done func(), err error) { return c.scratch(ctx, url) },
		func(r conformance.CaseResult) {
			if ctx.Err() == nil {
				c.tell(r)
			}
		}, options...)
	if err := c.summary(p.Now().Sub(start)); err != nil {
		return err
	}
	if err := stopped(ctx, "check", c.failed); err != nil {
		return err
	}
	if c.counts[broken] > 0 {
		return errFindings
	}
	return nil
}

// try finds out whether there can be a scratch namespace at all.
func (c *checking) try(ctx context.Context, url string) error {
	_, _, done, err := c.scratch(ctx, url)
	if err != nil {
		return err
	}
	done()
	return c.failed
}

func (c *checking) drop(ctx context.Context, n *stores.Namespace) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), dropTimeout)
	defer cancel()
	return n.Drop(ctx)
}

// scratch opens two handles on a fresh namespace: an interrupt lets it be made,
// so that it can be removed.
func (c *checking) scratch(ctx context.Context, url string) (a, b hosts.Store, done func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, nil, err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), openTimeout)
	defer cancel()
	n, err := stores.Scratch(ctx, url)
	if err != nil {
		return nil, nil, nil, err
	}
	a, closeA, err := n.Open(ctx)
	if err != nil {
		return nil, nil, nil, errors.Join(err, c.drop(ctx, n))
	}
	b, closeB, err := n.Open(ctx)
	if err != nil {
		return nil, nil, nil, errors.Join(err, closeA.Close(), c.drop(ctx, n))
	}
	return a, b, func() {
		c.failed = errors.Join(c.failed, closeA.Close(), closeB.Close(), c.drop(ctx, n))
	}, nil
}

func (c *checking) tell(r conformance.CaseResult) {
	told := checked{Case: r.Name, Result: kept, Promise: r.Promise, Seen: r.Seen}
	switch {
	case r.Skipped:
		told.Result = skipped
	case r.Seen != "":
		told.Result = broken
	}
	c.counts[told.Result]++
	var err error
	switch {
	case c.json:
		err = c.p.object(told)
	case told.Result == broken:
		_, err = fmt.Fprintf(c.p.Out, "BROKEN    %s\n          promise: %s\n          seen: %s\n", told.Case, told.Promise,
			strings.ReplaceAll(told.Seen, "\n", "\n          "))
	default:
		_, err = fmt.Fprintf(c.p.Out, "%-8s  %s\n", told.Result, told.Case)
	}
	c.failed = errors.Join(c.failed, err)
}

func (c *checking) summary(took time.Duration) error {
	if c.json {
		return c.p.object(map[string]any{kept: c.counts[kept], broken: c.counts[broken], skipped: c.counts[skipped], "seconds": took.Seconds()})
	}
	_, err := fmt.Fprintf(c.p.Out, "promises kept: %d, broken: %d, skipped: %d; took %v\n",
		c.counts[kept], c.counts[broken], c.counts[skipped], took.Round(time.Millisecond))
	return err
}
