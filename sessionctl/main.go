package sessionctl

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/stores"
)

// Exit codes.
const (
	exitFine     = 0
	exitFindings = 1 // something is wrong: a refused cookie, a finding, a failure
	exitUsage    = 2 // the command line, the key or its file is not usable
)

// A Program is one run of the command: what it reads and writes, and its words.
type Program struct {
	In       io.Reader
	Out, Err io.Writer
	Now      func() time.Time
	More     []Command // beside those of this package
	// Meter makes the figures of sessions that servers have at /metrics, beside their
	// own: hosts/metrics.New does [none].
	Meter func() Meter
}

// A Meter is a *metrics.Metrics of package hosts/metrics.
type Meter interface {
	hosts.Observer
	Handler() http.Handler
	AddGateway(interface {
		Counts() (map[string]int64, int64)
	})
}

// A Command is one of the words after sessionctl.
type Command struct {
	Name, Args, Brief string   // Args and Brief are for help texts
	About             string   // more, for its own help
	Examples          []string // command lines, for its own help
	Key               bool     // it reads the key from the environment
	IDs               bool     // its arguments are session IDs, which may begin with "-"
	// Flags enters the command's flags and returns what runs once they are read.
	Flags func(*flag.FlagSet) func(ctx context.Context, p *Program, args []string) error
}

func (p *Program) commands() []Command {
	return append([]Command{
		keygenCommand, inspectCommand, listCommand, statsCommand, showCommand, endCommand, endAllCommand, sweepCommand,
		migrateCommand, cacheCommand, exportCommand, importCommand, checkCommand, doctorCommand, gatewayCommand,
	}, append(slices.Clone(p.More), completion(), versionCommand)...)
}

// Usagef is the error of a command line that cannot be carried out: exit code 2.
func Usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

// errFindings ends a command that has printed what it found.
var errFindings = errors.New("findings")

// sameSignal is how long a second signal counts as the first: timeout(1) sends two.
const sameSignal = time.Second

// Main runs the command that the process's arguments name, and exits. An
// interrupt or SIGTERM ends it in order, a second one at once.
func Main(more ...Command) { Program{More: more}.Main() }

// Main is Main with what else p says. It reads and writes what the process does.
func (p Program) Main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, func() { time.AfterFunc(sameSignal, stop) })
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) // a write fails, and what was begun is cleaned up
	p.In, p.Out, p.Err, p.Now = os.Stdin, os.Stdout, os.Stderr, time.Now
	os.Exit(p.Run(ctx, os.Args[1:]))
}

// Run carries out one command line, without the name of the program, and returns
// the exit code: 0 fine, 1 something is wrong, 2 wrong usage.
func (p *Program) Run(ctx context.Context, args []string) int {
	err := p.dispatch(ctx, args)
	var usage usageError
	switch {
	case err == nil:
		return exitFine
	case errors.Is(err, errFindings), errors.Is(err, syscall.EPIPE): // the reader has seen enough
		return exitFindings
	case errors.As(err, &usage):
		fmt.Fprintln(p.Err, "sessionctl:", err)
		return exitUsage
	}
	fmt.Fprintln(p.Err, "sessionctl:", err)
	return exitFindings
}

func (p *Program) dispatch(ctx context.Context, args []string) error {
	if len(args) == 0 {
		if err := p.help(nil); err != nil {
			return err
		}
		return Usagef("no command is given")
	}
	name, rest := args[0], args[1:]
	switch name {
	case "help", "-h", "-help", "--help":
		return p.help(rest)
	case "-v", "-version", "--version":
		name = versionCommand.Name
	}
	c, err := p.find(name)
	if err != nil {
		return err
	}
	set := flag.NewFlagSet(c.Name, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	run := c.Flags(set)
	args, err = parseArgs(set, rest, c.IDs)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return p.help([]string{name})
	case err != nil:
		text := inOurWords(set, err).Error()
		if !strings.HasSuffix(text, "?") {
			text += "."
		}
		return Usagef("%s: %s See sessionctl help %s", name, text, name)
	case c.Args == "" && len(args) > 0:
		return Usagef("%s: unexpected argument %q: this command takes only flags; see sessionctl help %s", name, stores.Typed(args[0]), name)
	}
	return run(ctx, p, args)
}

func (p *Program) find(name string) (Command, error) {
	for _, c := range p.commands() {
		if c.Name == name {
			return c, nil
		}
	}
	if strings.HasPrefix(name, "-") {
		given, _, _ := strings.Cut(name, "=")
		return Command{}, Usagef("%q stands before the command; flags go behind it: sessionctl COMMAND %s ...; see sessionctl help", stores.Typed(given), stores.Typed(given))
	}
	if guess := didYouMean("", name, p.names()); guess != "" {
		return Command{}, Usagef("unknown command %q%s See sessionctl help", stores.Typed(name), guess)
	}
	return Command{}, Usagef("unknown command %q; allowed: %s; see sessionctl help", stores.Typed(name), strings.Join(p.names(), ", "))
}

func (p *Program) names() []string {
	var list []string
	for _, c := range p.commands() {
		list = append(list, c.Name)
	}
	return append(list, "help")
}
