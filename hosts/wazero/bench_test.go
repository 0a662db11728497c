package wazero_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	wz "github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/rockstar-web/sessions/conformance/ratio"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/core/wire"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/wazero"
	"github.com/rockstar-web/sessions/wasm"
)

// BenchmarkRatioRead compares a request that reads a session of five values in
// the guest with the same natively, and with the same guest as the standard
// toolchain compiles it.
func BenchmarkRatioRead(b *testing.B) {
	const calls, rounds = 200, 51
	native, err := core.NewMachine(core.Policy{}, ring)
	require.NoError(b, err)
	guest := configured(b, newEngine(b, wazero.Options{}), core.Policy{})
	reference := referenceGuest(b)
	r, cookies := stored(b, native)
	round := func(m hosts.Engine) func() {
		return func() {
			for range calls {
				if err := read(m, r, cookies, now); err != nil {
					b.Error(err)
				}
			}
		}
	}
	for b.Loop() {
		t := ratio.Interleave(rounds, round(native), round(guest), round(reference))
		fmt.Printf("\nread: native %v, guest %v, standard toolchain %v\n", t[0]/calls, t[1]/calls, t[2]/calls)
		ratio.Print("wasm-read-of-native", t[1].Seconds()/t[0].Seconds(), 12, false)
		ratio.Print("wasm-read-vs-standard-toolchain", t[2].Seconds()/t[1].Seconds(), 1, true)
	}
}

// referenceGuest is the guest by the standard toolchain, with a single instance.
func referenceGuest(b *testing.B) hosts.Engine {
	path := filepath.Join(b.TempDir(), "reference.wasm")
	build := exec.Command("go", "build", "-buildmode=c-shared", "-ldflags=-s -w", "-o", path, "../../wasm/guest")
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	text, err := build.CombinedOutput()
	require.NoError(b, err, string(text))
	module, err := os.ReadFile(path)
	require.NoError(b, err)
	ctx := context.Background()
	r := wz.NewRuntime(ctx)
	b.Cleanup(func() { require.NoError(b, r.Close(ctx)) })
	wasi_snapshot_preview1.MustInstantiate(ctx, r)
	m, err := r.InstantiateWithConfig(ctx, module, wz.NewModuleConfig().WithStartFunctions("_initialize"))
	require.NoError(b, err)
	c, err := wire.Configure(asker(m), core.Policy{}, ring)
	require.NoError(b, err)
	return c
}

func asker(m api.Module) func([]byte) ([]byte, error) {
	ctx := context.Background()
	buffer, handle := m.ExportedFunction("buffer"), m.ExportedFunction("handle")
	return func(frame []byte) ([]byte, error) {
		at, err := buffer.Call(ctx, uint64(len(frame)))
		if err != nil {
			return nil, err
		}
		m.Memory().Write(uint32(at[0]), frame)
		packed, err := handle.Call(ctx, uint64(len(frame)))
		if err != nil {
			return nil, err
		}
		reply, _ := m.Memory().Read(uint32(packed[0]>>32), uint32(packed[0]))
		return append([]byte(nil), reply...), nil
	}
}

// BenchmarkRatioStart measures, in milliseconds of the processors' time, what
// comes before the first request.
func BenchmarkRatioStart(b *testing.B) {
	ctx := context.Background()
	dir := b.TempDir()
	start := func(o wazero.Options) func() {
		return func() {
			e, err := wazero.New(ctx, o)
			require.NoError(b, err)
			require.NoError(b, e.Close())
		}
	}
	for b.Loop() {
		start(wazero.Options{CacheDir: dir})() // fills the cache
		ratio.Print("wasm-compile-ms", cpuMillis(start(wazero.Options{})), 120, false)
		ratio.Print("wasm-compile-cached-ms", cpuMillis(start(wazero.Options{CacheDir: dir})), 8, false)
		r := wz.NewRuntime(ctx)
		code, err := r.CompileModule(ctx, wasm.Core)
		require.NoError(b, err)
		const instances = 50
		one := cpuMillis(func() {
			for range instances {
				m, err := r.InstantiateModule(ctx, code, wz.NewModuleConfig().WithName("").WithStartFunctions("_initialize"))
				require.NoError(b, err)
				require.NoError(b, m.Close(ctx))
			}
		})
		ratio.Print("wasm-instantiate-ms", one/instances, 1, false)
		require.NoError(b, r.Close(ctx))
	}
}

// cpuMillis is the median of rounds.
func cpuMillis(fn func()) float64 {
	var all []time.Duration
	for range 7 {
		before := cpuTime()
		fn()
		all = append(all, cpuTime()-before)
	}
	slices.Sort(all)
	return all[len(all)/2].Seconds() * 1e3
}

// BenchmarkRatioMemory makes a million mixed requests of one instance.
func BenchmarkRatioMemory(b *testing.B) {
	const first, all = 10_000, 1_000_000
	r := wz.NewRuntime(b.Context())
	code, err := r.CompileModule(b.Context(), wasm.Core)
	require.NoError(b, err)
	for b.Loop() {
		m, err := r.InstantiateModule(b.Context(), code, wz.NewModuleConfig().WithName("").WithStartFunctions("_initialize"))
		require.NoError(b, err)
		c, err := wire.Configure(asker(m), core.Policy{}, ring)
		require.NoError(b, err)
		mixed(b, c, first)
		before := m.Memory().Size()
		begin := time.Now()
		mixed(b, c, all-first)
		fmt.Printf("\nmemory: %d KiB after %d requests, %d KiB after %d more in %v\n", before>>10, first, m.Memory().Size()>>10, all-first, time.Since(begin))
		ratio.Print("wasm-memory-growth", float64(m.Memory().Size())/float64(before), 1, false)
		require.NoError(b, m.Close(b.Context()))
	}
}
