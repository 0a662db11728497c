package wazero

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/core/wire"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/wasm"
	wz "github.com/tetratelabs/wazero"
)

// Options sets up an Engine. Its zero value takes the defaults in brackets.
type Options struct {
	Module   []byte        // [wasm.Core] a module of ABI version 3
	CacheDir string        // [none] keeps compiled code for the next start
	Pages    uint32        // [1024] memory of an instance, in pages of 64 KiB; one over it is dropped
	Timeout  time.Duration // [none] of one call. It makes every call some four times as slow: for modules that are not trusted to end
	Idle     int           // [32] instances that are kept while nobody needs them
	Most     int           // [1024] instances at once; more calls get hosts.ErrBusy
}

// The defaults of Options.
const (
	DefaultPages = 1024 // room for sessions of 1 MiB
	DefaultIdle  = 32
	DefaultMost  = 1024
)

// Errors of an Engine.
var (
	// ErrGuest: the module trapped, or ran over its time or memory. The call
	// had no effect; the instance was dropped.
	ErrGuest = errors.New("wazero: the guest failed")
	// ErrModule: the module is none that this package can host.
	ErrModule = errors.New("wazero: unsuitable module")
)

// Engine is a compiled module. It is safe for concurrent use.
type Engine struct {
	options Options
	runtime wz.Runtime
	code    wz.CompiledModule
	cache   wz.CompilationCache

	mu    sync.Mutex
	pools []*pool
	stop  chan struct{} // of the watch
	done  sync.WaitGroup
}

// New compiles the module, and refuses one that imports anything or is of
// another ABI version. ctx bounds the compilation alone.
func New(ctx context.Context, o Options) (*Engine, error) {
	if err := o.fill(); err != nil {
		return nil, fmt.Errorf("wazero: %w", err)
	}
	e := &Engine{options: o, stop: make(chan struct{})}
	config := wz.NewRuntimeConfig().WithMemoryLimitPages(o.Pages).WithCloseOnContextDone(o.Timeout > 0)
	if o.CacheDir != "" {
		cache, err := wz.NewCompilationCacheWithDir(o.CacheDir)
		if err != nil {
			return nil, fmt.Errorf("wazero: Options.CacheDir: %w", err)
		}
		e.cache, config = cache, config.WithCompilationCache(cache)
	}
	e.runtime = wz.NewRuntimeWithConfig(ctx, config)
	if err := e.compile(ctx); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	if o.Timeout > 0 {
		e.done.Add(1)
		go e.watch()
	}
	return e, nil
}

func (o *Options) fill() error {
	if o.Module == nil {
		o.Module = wasm.Core
	}
	if o.Pages == 0 {
		o.Pages = DefaultPages
	}
	if o.Most == 0 {
		o.Most = DefaultMost
	}
	if o.Idle == 0 {
		o.Idle = min(DefaultIdle, max(o.Most, 0))
	}
	switch {
	case o.Most < 0:
		return &hosts.ConfigError{Field: "Most", Value: fmt.Sprint(o.Most), Allowed: "1 or more"}
	case o.Pages > 1<<16:
		return &hosts.ConfigError{Field: "Pages", Value: fmt.Sprint(o.Pages), Allowed: "up to 65536"}
	case o.Timeout < 0:
		return &hosts.ConfigError{Field: "Timeout", Value: o.Timeout.String(), Allowed: "a positive duration; zero for none"}
	case o.Idle < 0 || o.Idle > o.Most:
		return &hosts.ConfigError{Field: "Idle", Value: fmt.Sprint(o.Idle), Allowed: fmt.Sprintf("0 to Most, which is %d", o.Most)}
	}
	return nil
}

func (e *Engine) compile(ctx context.Context) error {
	code, err := e.runtime.CompileModule(ctx, e.options.Module)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrModule, err)
	}
	e.code = code
	if n := len(code.ImportedFunctions()) + len(code.ImportedMemories()); n > 0 {
		return fmt.Errorf("%w: it imports %d things; the core imports none", ErrModule, n)
	}
	for _, name := range []string{exportVersion, exportBuffer, exportHandle, exportInit} {
		if code.ExportedFunctions()[name] == nil {
			return fmt.Errorf("%w: it exports no %s", ErrModule, name)
		}
	}
	if code.ExportedMemories()["memory"] == nil {
		return fmt.Errorf("%w: it exports no memory", ErrModule)
	}
	g, err := e.instance(ctx)
	if err != nil {
		return err
	}
	defer g.close()
	version, err := g.version(ctx)
	if err == nil && version != wire.Version {
		err = fmt.Errorf("%w: its ABI version is %d, this release hosts %d", ErrModule, version, wire.Version)
	}
	return err
}

// Machine is a configured machine: a hosts.Engine, and an io.Closer that frees
// its instances, as hosts.Manager.Close does.
type Machine struct {
	*wire.Client
	pool *pool
}

// Close frees the instances, once the calls that are under way have ended; later
// ones fail. A second Close does nothing.
func (m *Machine) Close() error {
	e := m.pool.engine
	m.pool.close()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.pools = slices.DeleteFunc(e.pools, func(l *pool) bool { return l == m.pool })
	return nil
}

// Configure makes a machine of the module, as hosts.Config.Engine wants it.
// The keys stay in memory, for instances that are made later. To replace keys,
// configure another and close this one.
func (e *Engine) Configure(p core.Policy, keys core.KeyRing) (hosts.Engine, error) {
	l := &pool{engine: e, busy: map[*guest]time.Time{}}
	c, err := wire.Configure(l.configure, p, keys)
	if err != nil {
		l.close()
		return nil, err
	}
	c.Call = l.call
	e.mu.Lock()
	defer e.mu.Unlock()
	select {
	case <-e.stop:
		l.close()
		return nil, errClosed
	default:
	}
	e.pools = append(e.pools, l)
	return &Machine{c, l}, nil
}

// Stats counts the instances of all machines of an Engine.
type Stats struct {
	Idle    int   // that wait for a call
	Busy    int   // in a call
	Dropped int64 // that trapped, or ran over their time or memory, of machines that are open
}

// Stats returns what holds now.
func (e *Engine) Stats() (s Stats) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, l := range e.pools {
		l.mu.Lock()
		s.Idle += len(l.idle)
		s.Busy += l.taken
		s.Dropped += l.dropped
		l.mu.Unlock()
	}
	return s
}

// Close frees everything, once the calls that are under way have ended; later
// ones fail. A second Close does nothing.
func (e *Engine) Close() error {
	e.mu.Lock()
	select {
	case <-e.stop:
		e.mu.Unlock()
		return nil
	default:
		close(e.stop)
	}
	pools := e.pools
	e.pools = nil
	e.mu.Unlock()
	e.done.Wait()
	for _, l := range pools {
		l.close()
	}
	ctx := context.Background()
	err := e.runtime.Close(ctx)
	if e.cache != nil {
		err = errors.Join(err, e.cache.Close(ctx))
	}
	return err
}

// watch ends calls that run over their time: it looks four times in it, so
// that no call needs a timer of its own.
func (e *Engine) watch() {
	defer e.done.Done()
	tick := time.NewTicker(max(e.options.Timeout/4, time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-e.stop:
			return
		case now := <-tick.C:
			e.mu.Lock()
			for _, l := range e.pools {
				l.endOlder(now.Add(-e.options.Timeout))
			}
			e.mu.Unlock()
		}
	}
}
