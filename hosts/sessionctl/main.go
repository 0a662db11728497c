// Sessionctl is the operator's command of the session library: it lists, ends,
// sweeps, exports and imports the sessions of any store, holds a store to its
// contract, makes keys, opens cookies, runs the demo, and finds what is wrong
// with a setup. See docs/sessionctl.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// Exit codes.
const (
	exitFine     = 0
	exitFindings = 1 // something is wrong: a refused cookie, a finding, a failure
	exitUsage    = 2 // the command line, the key or its file is not usable
)

// A program is one call of the command: what it reads and writes.
type program struct {
	in       io.Reader
	out, err io.Writer
	now      func() time.Time
}

// A command is one of the words after sessionctl.
type command struct {
	name, args, brief string
	about             string // more, for its help
	ids               bool   // its arguments are session IDs, which may begin with "-"
	// flags enters the command's flags and returns what runs once they are read.
	flags func(*flag.FlagSet) func(ctx context.Context, p *program, args []string) error
}

func commands() []command {
	return []command{
		keygenCommand, inspectCommand, listCommand, showCommand, endCommand, endAllCommand, sweepCommand,
		migrateCommand, exportCommand, importCommand, checkCommand, doctorCommand, gatewayCommand, demoCommand,
	}
}

// usageError is a command line that cannot be carried out.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// errFindings ends a command that has printed what it found.
var errFindings = errors.New("findings")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process
	p := &program{os.Stdin, os.Stdout, os.Stderr, time.Now}
	os.Exit(p.run(ctx, os.Args[1:]))
}

func (p *program) run(ctx context.Context, args []string) int {
	err := p.dispatch(ctx, args)
	var usage usageError
	switch {
	case err == nil:
		return exitFine
	case errors.Is(err, errFindings):
		return exitFindings
	case errors.As(err, &usage):
		fmt.Fprintln(p.err, "sessionctl:", err)
		return exitUsage
	}
	fmt.Fprintln(p.err, "sessionctl:", err)
	return exitFindings
}

func (p *program) dispatch(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return usagef("no command is given; allowed: %s; see sessionctl help", names())
	}
	name, rest := args[0], args[1:]
	switch name {
	case "help", "-h", "-help", "--help":
		return p.help(rest)
	}
	c, err := find(name)
	if err != nil {
		return err
	}
	set := flag.NewFlagSet(c.name, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	run := c.flags(set)
	args, err = parseArgs(set, rest, c.ids)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return p.help([]string{name})
	case err != nil:
		return usagef("%s: %w; see sessionctl help %s", name, err, name)
	case c.args == "" && len(args) > 0:
		return usagef("%s: %d arguments too many; it takes flags alone; see sessionctl help %s", name, len(args), name)
	}
	return run(ctx, p, args)
}

func find(name string) (command, error) {
	for _, c := range commands() {
		if c.name == name {
			return c, nil
		}
	}
	return command{}, usagef("unknown command %q; allowed: %s; see sessionctl help", name, names())
}

func names() string {
	var list []string
	for _, c := range commands() {
		list = append(list, c.name)
	}
	return strings.Join(append(list, "help"), ", ")
}
