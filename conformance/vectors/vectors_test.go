package vectors_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/rockstar-web/sessions/conformance/vectors"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/core/wire"
	"github.com/rockstar-web/sessions/wasm"
)

func all(t testing.TB) []vectors.Scenario {
	t.Helper()
	list, err := vectors.All()
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(list), 300)
	return list
}

// holds asks every scenario of a machine that fresh makes, which hands frames to
// whatever implements them.
func holds(t *testing.T, fresh func() (ask func(frame []byte) []byte)) {
	for _, s := range all(t) {
		ask := fresh()
		reply := ask(s.Configure)
		if len(s.Request) > 0 {
			require.Equal(t, wire.StatusOK, reply[0], s.Name)
			reply = ask(s.Request)
		}
		require.Equal(t, s.Reply, reply, "%s: %s", s.Name, s.About)
	}
}

func TestCore(t *testing.T) {
	holds(t, func() func([]byte) []byte {
		server := &wire.Server{}
		return func(frame []byte) []byte { return server.Handle(nil, frame) }
	})
}

// guest gives instances of a module, one for each scenario.
func guest(t *testing.T, module []byte, wasi bool) func() func([]byte) []byte {
	ctx := t.Context()
	r := wazero.NewRuntime(ctx)
	t.Cleanup(func() { require.NoError(t, r.Close(context.WithoutCancel(ctx))) })
	if wasi {
		wasi_snapshot_preview1.MustInstantiate(ctx, r)
	}
	code, err := r.CompileModule(ctx, module)
	require.NoError(t, err)
	var last api.Module
	return func() func([]byte) []byte {
		if last != nil {
			require.NoError(t, last.Close(ctx))
		}
		m, err := r.InstantiateModule(ctx, code, wazero.NewModuleConfig().WithName("").WithStartFunctions("_initialize"))
		require.NoError(t, err)
		last = m
		return func(frame []byte) []byte {
			at, err := m.ExportedFunction("buffer").Call(ctx, uint64(len(frame)))
			require.NoError(t, err)
			require.True(t, m.Memory().Write(uint32(at[0]), frame))
			packed, err := m.ExportedFunction("handle").Call(ctx, uint64(len(frame)))
			require.NoError(t, err)
			reply, ok := m.Memory().Read(uint32(packed[0]>>32), uint32(packed[0]))
			require.True(t, ok)
			return append([]byte(nil), reply...)
		}
	}
}

func TestModule(t *testing.T) { holds(t, guest(t, wasm.Core, false)) }

// TestReference runs the same guest as the standard toolchain compiles it.
func TestReference(t *testing.T) {
	path := filepath.Join(t.TempDir(), "reference.wasm")
	build := exec.Command("go", "build", "-buildmode=c-shared", "-ldflags=-s -w", "-o", path, "../../wasm/guest")
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	text, err := build.CombinedOutput()
	require.NoError(t, err, string(text))
	module, err := os.ReadFile(path)
	require.NoError(t, err)
	holds(t, guest(t, module, true))
}

// node holds the module in JavaScript to a folder, and returns what is printed.
func node(t *testing.T, dir string) (text string, err error) {
	t.Helper()
	path, err := exec.LookPath("node")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("no node: this test needs Node 18 or later")
		}
		t.Skip("SKIPPED, NOT TESTED: no node; install Node 18 or later")
	}
	out, err := exec.CommandContext(t.Context(), path, "run.mjs", "../../wasm/core.wasm", dir).CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func TestNode(t *testing.T) {
	text, err := node(t, "testdata")
	require.NoError(t, err, text)
	require.Equal(t, fmt.Sprintf("ok: %d scenarios", len(all(t))), text)
}

// TestJudge: the judge in JavaScript names each scenario that differs, and each
// that it does not understand, and goes on.
func TestJudge(t *testing.T) {
	good := string(all(t)[0].Format())
	dir := filepath.Join(t.TempDir(), "verb")
	require.NoError(t, os.Mkdir(dir, 0o700))
	for name, text := range map[string]string{
		"good":     good,
		"reply":    strings.Replace(good, "reply: ", "reply: ff", 1),
		"expect":   strings.Replace(good, "expect: ok", "expect: fine", 1),
		"hex":      strings.Replace(good, "request: ", "request: zz", 1),
		"unknown":  good + "more: 1\n",
		"repeated": good + "about: again\n",
		"missing":  strings.Replace(good, "about: ", "in.about: ", 1),
		"machine":  strings.Replace(good, "configure: 01", "configure: 02", 1),
	} {
		require.Equal(t, name == "good", text == good, name)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name+".txt"), []byte(text), 0o600))
	}
	text, err := node(t, filepath.Dir(dir))
	require.Error(t, err)
	for _, name := range []string{"reply", "expect", "hex", "unknown", "repeated", "missing", "machine"} {
		require.Contains(t, text, "verb/"+name+".txt: ")
	}
	require.NotContains(t, text, "verb/good")
	require.True(t, strings.HasSuffix(text, "7 of 8 scenarios differ"), text)
}

// TestTheFilesAreTheGenerators: nothing was changed by hand, nothing is left of
// an earlier core.
func TestTheFilesAreTheGenerators(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "testdata")
	text, err := exec.CommandContext(t.Context(), "go", "run", "./generate", dir).CombinedOutput()
	require.NoError(t, err, string(text))
	for _, s := range all(t) {
		made, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(s.Name)+".txt"))
		require.NoError(t, err, "%s is no scenario of the generator: run go generate", s.Name)
		require.Equal(t, string(made), string(s.Format()), "%s: run go generate, and look why it changed", s.Name)
		require.NoError(t, os.Remove(filepath.Join(dir, filepath.FromSlash(s.Name)+".txt")))
	}
	left, err := filepath.Glob(filepath.Join(dir, "*", "*.txt"))
	require.NoError(t, err)
	require.Empty(t, left, "the generator makes more: run go generate")
}

// TestNothingIsLeftOut: every verb, reason, kind of expectation and type of
// value has a scenario.
func TestNothingIsLeftOut(t *testing.T) {
	verbs, expects, tags := map[byte]bool{}, map[string]bool{}, map[byte]bool{}
	for _, s := range all(t) {
		if len(s.Request) > 0 {
			verbs[s.Request[0]] = true
		} else {
			verbs[s.Configure[0]] = true
		}
		kind, what, _ := strings.Cut(s.Expect, " ")
		expects[kind] = true
		if kind == "refused" {
			expects[what] = true
		}
		for _, f := range s.Fields {
			if f.Name == "in.cbor" && strings.HasPrefix(f.Value, "d9be") && s.Expect == "ok" {
				tags[f.Value[5]-'0'] = true
			}
		}
	}
	for op := wire.OpConfigure; op <= wire.OpCheckStamp; op++ {
		require.True(t, verbs[op], "verb %d", op)
	}
	for _, kind := range vectors.Expectations {
		require.True(t, expects[kind], kind)
	}
	for r := core.ReasonNone; r.String() != "unlisted"; r++ {
		byHost := r == core.ReasonNotFresh || r == core.ReasonMethods
		require.Equal(t, !byHost, expects[r.String()], r.String())
	}
	for tag := range byte(8) {
		require.True(t, tags[tag], "tag %d", tag)
	}
}

func TestParseRefuses(t *testing.T) {
	good := all(t)[0].Format()
	_, err := vectors.Parse("good", good)
	require.NoError(t, err)
	for _, bad := range []string{"", "about: x\n", string(good) + "more: 1\n", string(good) + "about: again\n",
		strings.Replace(string(good), "expect: ok", "expect: fine", 1), strings.Replace(string(good), "configure: ", "configure: zz", 1)} {
		_, err := vectors.Parse("bad", []byte(bad))
		require.Error(t, err, bad)
	}
}
