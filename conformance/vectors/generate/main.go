// Generate writes the scenarios of package vectors from the core, and removes
// files of scenarios that are gone. A scenario whose outcome is not what its
// author says fails, and nothing is written.
package main

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/rockstar-web/sessions/conformance/vectors"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/core/wire"
)

func main() {
	dir := "testdata"
	if len(os.Args) > 1 {
		dir = os.Args[1]
	}
	if len(os.Args) > 2 || strings.HasPrefix(dir, "-") {
		fmt.Fprintf(os.Stderr, "generate: the arguments are %q; allowed: one folder, which is emptied [testdata]\n", os.Args[1:])
		os.Exit(2)
	}
	if err := run(dir); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func run(dir string) error {
	g := &generator{}
	for _, family := range []func(*generator){configures, identifies, cookieForms, inspections, news, resumes, bindings, corruptions,
		dues, applies, values, badValues, commits, commitTimes, secrets, cookies, rebases, merges, folds, outdated, applieds, marks, readings, begins} {
		family(g)
	}
	if g.err != nil {
		return g.err
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	for _, s := range g.all {
		path := filepath.Join(dir, filepath.FromSlash(s.Name)+".txt")
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, s.Format(), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// generator collects scenarios, up to the first that is wrong.
type generator struct {
	all  []vectors.Scenario
	seen map[string]bool
	err  error
}

// setup is the machine of a scenario.
type setup struct {
	policy core.Policy
	keys   core.KeyRing
}

// add asks a machine, made as given, and keeps the scenario if the outcome is
// what is expected.
func (g *generator) add(name, about string, m setup, request []byte, expect string, fields ...vectors.Field) {
	if g.err != nil {
		return
	}
	configure := wire.AppendConfigure(nil, m.policy, m.keys)
	var server wire.Server
	reply := server.Handle(nil, configure)
	if len(request) > 0 {
		if reply[0] != wire.StatusOK {
			g.err = fmt.Errorf("%s: the machine is refused: %s", name, outcome(reply))
			return
		}
		reply = server.Handle(nil, request)
	}
	if got := outcome(reply); got != expect {
		g.err = fmt.Errorf("%s: expects %q, got %q", name, expect, got)
		return
	}
	if g.seen == nil {
		g.seen = map[string]bool{}
	}
	if g.seen[name] {
		g.err = fmt.Errorf("%s: there are two of the name", name)
		return
	}
	g.seen[name] = true
	g.all = append(g.all, vectors.Scenario{Name: name, About: about, Fields: append(m.fields(), fields...),
		Configure: configure, Request: request, Expect: expect, Reply: reply})
}

// outcome is a reply's status in words.
func outcome(reply []byte) string {
	err := wire.ErrorOf(reply)
	switch e := err.(type) {
	case nil:
		return "ok"
	case *core.Refusal:
		return "refused " + e.Reason.String()
	case *core.SizeError:
		return "too_large " + e.Name
	case *core.PolicyError:
		return "policy " + e.Field
	case *core.ConflictError:
		return "conflict " + e.Name
	}
	switch reply[0] {
	case wire.StatusMalformed:
		return "malformed"
	case wire.StatusUnknownOp:
		return "unknown_op"
	case wire.StatusUnknownMachine:
		return "unknown_machine"
	}
	return "error " + wire.CodeName(reply[1])
}

func (g *generator) must(err error) {
	if err != nil && g.err == nil {
		g.err = err
	}
}

func in(name string, value any) vectors.Field {
	return vectors.Field{Name: "in." + name, Value: text(value)}
}
func out(name string, value any) vectors.Field {
	return vectors.Field{Name: "out." + name, Value: text(value)}
}

// text is how a field shows a value: bytes in hex, text as it is, quoted where
// it is not plain.
func text(v any) string {
	switch v := v.(type) {
	case []byte:
		return hex.EncodeToString(v)
	case core.Time:
		return fmt.Sprint(int64(v))
	case core.Seed:
		return hex.EncodeToString(v[:])
	case string:
		if strings.ContainsFunc(v, func(r rune) bool { return r < 0x20 || r > 0x7e }) || bytes.HasPrefix([]byte(v), []byte(`"`)) {
			return fmt.Sprintf("%q", v)
		}
		return v
	}
	return fmt.Sprint(v)
}
