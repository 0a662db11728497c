package sessionctl

import (
	"context"
	"flag"
	"fmt"
	"strings"
)

func completion() Command {
	return Command{
		Name: "completion", Args: "SHELL", Brief: "print completions for bash, zsh or fish",
		About: `Prints a script that completes commands and flags in a shell: bash, zsh or fish.`,
		Examples: []string{
			`source <(sessionctl completion bash)`,
			`sessionctl completion zsh > "${fpath[1]}/_sessionctl"`,
			`sessionctl completion fish > ~/.config/fish/completions/sessionctl.fish`,
		},
		Flags: func(*flag.FlagSet) func(context.Context, *Program, []string) error {
			return func(_ context.Context, p *Program, args []string) error {
				scripts := map[string]func([]completed) string{"bash": bash, "zsh": zsh, "fish": fish}
				if len(args) != 1 {
					return Usagef("completion: name one shell; allowed: bash, zsh, fish")
				}
				script := scripts[args[0]]
				if script == nil {
					return Usagef("completion: the shell is %q; allowed: bash, zsh, fish", args[0])
				}
				_, err := fmt.Fprint(p.Out, script(p.completed()))
				return err
			}
		},
	}
}

// completed is a command with its flags.
type completed struct {
	name, brief string
	flags       []*flag.Flag
}

func (p *Program) completed() (list []completed) {
	for _, c := range p.commands() {
		set := flag.NewFlagSet(c.Name, flag.ContinueOnError)
		c.Flags(set)
		one := completed{name: c.Name, brief: c.Brief}
		set.VisitAll(func(f *flag.Flag) { one.flags = append(one.flags, f) })
		list = append(list, one)
	}
	return append(list, completed{name: "help", brief: "all about a command"})
}

func words(list []completed) string {
	var names []string
	for _, c := range list {
		names = append(names, c.name)
	}
	return strings.Join(names, " ")
}

func bash(list []completed) string {
	var b strings.Builder
	fmt.Fprintf(&b, `# Completions of sessionctl for bash.
_sessionctl() {
  local word="${COMP_WORDS[COMP_CWORD]}"
  if [ "$COMP_CWORD" -eq 1 ] || [ "${COMP_WORDS[1]}" = help ]; then
    COMPREPLY=($(compgen -W "%s" -- "$word"))
    return
  fi
  local flags=
  case "${COMP_WORDS[1]}" in
`, words(list))
	for _, c := range list {
		var flags []string
		for _, f := range c.flags {
			flags = append(flags, "--"+f.Name)
		}
		fmt.Fprintf(&b, "  %s) flags=%q ;;\n", c.name, strings.Join(flags, " "))
	}
	b.WriteString(`  esac
  case "$word" in
  -*) COMPREPLY=($(compgen -W "$flags" -- "$word")) ;;
  *) COMPREPLY=($(compgen -f -- "$word")) ;;
  esac
}
complete -o default -F _sessionctl sessionctl
`)
	return b.String()
}

// quoted is a text within a single-quoted word of zsh's _arguments or of fish.
func quoted(text string) string {
	return strings.NewReplacer("'", "", "[", "(", "]", ")", ":", " ", "`", "", "\n", " ", `\`, "").Replace(text)
}

func zsh(list []completed) string {
	var b strings.Builder
	b.WriteString("#compdef sessionctl\n_sessionctl() {\n  if (( CURRENT == 2 )) || [[ $words[2] == help ]]; then\n    local -a commands=(\n")
	for _, c := range list {
		fmt.Fprintf(&b, "      '%s:%s'\n", c.name, quoted(c.brief))
	}
	b.WriteString("    )\n    _describe command commands\n    return\n  fi\n  case $words[2] in\n")
	for _, c := range list {
		fmt.Fprintf(&b, "  %s) _arguments", c.name)
		for _, f := range c.flags {
			_, usage := flag.UnquoteUsage(f)
			fmt.Fprintf(&b, " '--%s[%s]'", f.Name, quoted(usage))
		}
		b.WriteString(" '*:file:_files' ;;\n")
	}
	b.WriteString("  esac\n}\n_sessionctl \"$@\"\n")
	return b.String()
}

func fish(list []completed) string {
	var b strings.Builder
	b.WriteString("# Completions of sessionctl for fish.\n")
	for _, c := range list {
		fmt.Fprintf(&b, "complete -c sessionctl -f -n __fish_use_subcommand -a %s -d '%s'\n", c.name, quoted(c.brief))
		for _, f := range c.flags {
			_, usage := flag.UnquoteUsage(f)
			fmt.Fprintf(&b, "complete -c sessionctl -n '__fish_seen_subcommand_from %s' -l %s -d '%s'\n", c.name, f.Name, quoted(usage))
		}
	}
	return b.String()
}
