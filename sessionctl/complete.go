package sessionctl

import (
	"context"
	"flag"
	"fmt"
	"strings"

	"github.com/rockstar-web/sessions/stores"
)

var shells = []string{"bash", "zsh", "fish"}

func completion() Command {
	return Command{
		Name: "completion", Args: "bash|zsh|fish", Brief: "print completions for bash, zsh or fish",
		About: `Prints a script that completes commands and flags in bash, zsh or fish.`,
		Examples: []string{
			`source <(sessionctl completion bash)`,
			`sessionctl completion zsh > "${fpath[1]}/_sessionctl"`,
			`sessionctl completion fish > ~/.config/fish/completions/sessionctl.fish`,
		},
		Flags: func(*flag.FlagSet) func(context.Context, *Program, []string) error {
			return func(_ context.Context, p *Program, args []string) error {
				if len(args) != 1 {
					return Usagef("completion: name one shell; allowed: %s", strings.Join(shells, ", "))
				}
				scripts := map[string]func([]completed) string{"bash": bash, "zsh": zsh, "fish": fish}
				script := scripts[args[0]]
				if script == nil {
					return Usagef("completion: the shell is %q; allowed: %s", stores.Typed(args[0]), strings.Join(shells, ", "))
				}
				_, err := fmt.Fprint(p.Out, script(p.completed()))
				return err
			}
		},
	}
}

// completed is a command with what may follow it. Anything else is a file.
type completed struct {
	name, brief string
	args        []string // the words that it takes; nil: files
	flags       []*flag.Flag
}

func (p *Program) completed() (list []completed) {
	for _, c := range p.commands() {
		set := flag.NewFlagSet(c.Name, flag.ContinueOnError)
		c.Flags(set)
		one := completed{name: c.Name, brief: c.Brief}
		if strings.Contains(c.Args, "|") && c.Args == strings.ToLower(c.Args) {
			one.args = strings.Split(c.Args, "|")
		}
		set.Bool("help", false, "show the flags of this command, with examples")
		set.VisitAll(func(f *flag.Flag) { one.flags = append(one.flags, f) })
		list = append(list, one)
	}
	return append(list, completed{name: "help", brief: "show the flags of a command, with examples", args: p.names()})
}

// bash leaves files to readline, which knows how to quote their names.
func bash(list []completed) string {
	var names []string
	var cases strings.Builder
	for _, c := range list {
		names = append(names, c.name)
		var flags []string
		for _, f := range c.flags {
			flags = append(flags, "--"+f.Name)
		}
		fmt.Fprintf(&cases, "  %s) flags=%q args=%q ;;\n", c.name, strings.Join(flags, " "), strings.Join(c.args, " "))
	}
	return fmt.Sprintf(`# Completions of sessionctl for bash.
_sessionctl() {
  local word="${COMP_WORDS[COMP_CWORD]}" flags= args=
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W %q -- "$word"))
    return
  fi
  case "${COMP_WORDS[1]}" in
%s  esac
  case "$word" in
  -*) COMPREPLY=($(compgen -W "$flags" -- "$word")) ;;
  *) COMPREPLY=($(compgen -W "$args" -- "$word")) ;;
  esac
}
complete -o default -F _sessionctl sessionctl
`, strings.Join(names, " "), cases.String())
}

// Both escape a text for a single-quoted word. In zsh's _arguments and _describe brackets
// and colons have a meaning, too.
var (
	zshQuoted  = strings.NewReplacer("'", `'\''`, "[", `\[`, "]", `\]`, ":", `\:`, `\`, `\\`, "\n", " ").Replace
	fishQuoted = strings.NewReplacer("'", `\'`, `\`, `\\`, "\n", " ").Replace
)

// once says to zsh how often a flag may stand in a line.
func once(f *flag.Flag) string {
	switch {
	case f.Name == "help":
		return "(- *)"
	case strings.Contains(f.Usage, "may be repeated"):
		return "*"
	}
	return ""
}

func zsh(list []completed) string {
	var b strings.Builder
	b.WriteString("#compdef sessionctl\n_sessionctl() {\n  if (( CURRENT == 2 )); then\n    local -a commands=(\n")
	for _, c := range list {
		fmt.Fprintf(&b, "      '%s:%s'\n", c.name, zshQuoted(c.brief))
	}
	b.WriteString("    )\n    _describe command commands\n    return\n  fi\n  shift words; (( CURRENT-- ))\n  case $words[1] in\n")
	for _, c := range list {
		fmt.Fprintf(&b, "  %s) _arguments", c.name)
		for _, f := range c.flags {
			shape, usage := flag.UnquoteUsage(f)
			fmt.Fprintf(&b, " '%s--%s[%s]", once(f), f.Name, zshQuoted(usage))
			switch shape {
			case "":
				b.WriteString("'")
			case "FILE":
				b.WriteString(":file:_files'")
			default:
				fmt.Fprintf(&b, ":%s: '", zshQuoted(shape))
			}
		}
		if len(c.args) > 0 {
			fmt.Fprintf(&b, " '1:word:(%s)' ;;\n", strings.Join(c.args, " "))
		} else {
			b.WriteString(" '*:file:_files' ;;\n")
		}
	}
	b.WriteString("  esac\n}\nif [ \"$funcstack[1]\" = _sessionctl ]; then _sessionctl \"$@\"; else compdef _sessionctl sessionctl; fi\n")
	return b.String()
}

func fish(list []completed) string {
	var b strings.Builder
	b.WriteString("# Completions of sessionctl for fish.\n")
	for _, c := range list {
		fmt.Fprintf(&b, "complete -c sessionctl -f -n __fish_use_subcommand -a %s -d '%s'\n", c.name, fishQuoted(c.brief))
		after := "complete -c sessionctl -n '__fish_seen_subcommand_from " + c.name + "'"
		if len(c.args) > 0 {
			fmt.Fprintf(&b, "%s -f -a '%s'\n", after, strings.Join(c.args, " "))
		}
		for _, f := range c.flags {
			shape, usage := flag.UnquoteUsage(f)
			value := ""
			if shape != "" {
				value = " -r"
			}
			fmt.Fprintf(&b, "%s -l %s%s -d '%s'\n", after, f.Name, value, fishQuoted(usage))
		}
	}
	return b.String()
}
