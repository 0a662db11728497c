//go:build unix

package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
)

// servers is how many there are.
const servers = 3

type fleet [servers]*process

// process is one server. A new one takes its place when it was killed.
type process struct {
	n          int
	store, key string
	restarting sync.Mutex

	mu   sync.Mutex
	cmd  *exec.Cmd
	life io.Closer // of the pipe that ends the process when this one ends
	addr string
}

func launch(store, key string) (f *fleet, err error) {
	f = new(fleet)
	for i := range f {
		f[i] = &process{n: i + 1, store: store, key: key}
		if err := f[i].start(); err != nil {
			f.close()
			return nil, err
		}
	}
	return f, nil
}

func (f *fleet) close() {
	for _, p := range f {
		if p != nil {
			p.kill()
		}
	}
}

// start runs this program once more, and returns when it listens.
func (p *process) start() error {
	path, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(path)
	cmd.Stderr = os.Stderr
	cmd.Env = append(os.Environ(), fmt.Sprint(asServer, "=", p.n), keyVariable+"="+p.key, storeVariable+"="+p.store)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt from the keyboard is for the first one
	life, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		_ = cmd.Wait()
		return fmt.Errorf("server %d did not start: %w", p.n, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cmd, p.life, p.addr = cmd, life, strings.TrimSpace(line)
	return nil
}

// address is where the server listens now.
func (p *process) address() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.addr
}

func (p *process) signal(s syscall.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return fmt.Errorf("server %d does not run", p.n)
	}
	return p.cmd.Process.Signal(s)
}

// restart kills the server and starts another in its place.
func (p *process) restart() error {
	p.restarting.Lock()
	defer p.restarting.Unlock()
	p.kill()
	return p.start()
}

func (p *process) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Kill() // it may have ended by itself
	_ = p.life.Close()
	_ = p.cmd.Wait()
	p.cmd = nil
}
