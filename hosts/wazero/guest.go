package wazero

import (
	"context"
	"fmt"

	wz "github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// What the module exports; see wasm/README.md.
const (
	exportVersion = "abi_version"
	exportBuffer  = "buffer"
	exportHandle  = "handle"
	exportInit    = "_initialize"
)

// guest is one instance of the module. It serves one call at a time.
type guest struct {
	module         api.Module
	memory         api.Memory
	buffer, handle api.Function
	stack          [1]uint64
	at, size       uint32 // of the buffer
}

func (e *Engine) instance(ctx context.Context) (*guest, error) {
	module, err := e.runtime.InstantiateModule(ctx, e.code, wz.NewModuleConfig().WithName("").WithStartFunctions(exportInit))
	if err != nil {
		return nil, fmt.Errorf("%w: instantiate: %w", ErrGuest, err)
	}
	return &guest{module: module, memory: module.Memory(),
		buffer: module.ExportedFunction(exportBuffer), handle: module.ExportedFunction(exportHandle)}, nil
}

func (g *guest) version(ctx context.Context) (uint32, error) {
	out, err := g.module.ExportedFunction(exportVersion).Call(ctx)
	if err != nil || len(out) != 1 {
		return 0, fmt.Errorf("%w: %s: %w", ErrModule, exportVersion, err)
	}
	return uint32(out[0]), nil
}

// ask hands a frame over and returns a copy of the reply. After an error the
// instance must not be used again.
func (g *guest) ask(ctx context.Context, frame []byte) ([]byte, error) {
	n := uint32(len(frame))
	if n > g.size {
		g.stack[0] = uint64(n)
		if err := g.buffer.CallWithStack(ctx, g.stack[:]); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrGuest, err)
		}
		if g.at, g.size = uint32(g.stack[0]), n; g.at == 0 {
			return nil, fmt.Errorf("%w: a frame of %d bytes is too large for it", ErrGuest, n)
		}
	}
	if !g.memory.Write(g.at, frame) {
		return nil, fmt.Errorf("%w: its buffer lies outside its memory", ErrGuest)
	}
	g.stack[0] = uint64(n)
	if err := g.handle.CallWithStack(ctx, g.stack[:]); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrGuest, err)
	}
	reply, ok := g.memory.Read(uint32(g.stack[0]>>32), uint32(g.stack[0]))
	if !ok {
		return nil, fmt.Errorf("%w: its reply lies outside its memory", ErrGuest)
	}
	return append(make([]byte, 0, len(reply)), reply...), nil
}

func (g *guest) close() { _ = g.module.Close(context.Background()) } // nothing is left to fail
