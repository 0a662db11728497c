// Package vectors holds scenarios of the core as files: what goes in, byte by
// byte, and what must come out. README.md describes them for authors who write the
// core, or a host of its WebAssembly module, in another language.
//
// The files are written by the generator beside this package, from the core
// itself, and read by the core, by the module in wazero and by JavaScript.
package vectors

//go:generate go run ./generate

import (
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

//go:embed testdata
var files embed.FS

// FS returns the files, one scenario each, named verb/scenario.txt.
func FS() fs.FS {
	sub, err := fs.Sub(files, "testdata")
	if err != nil {
		panic(err) // the folder is embedded: it is there
	}
	return sub
}

// Scenario is one file.
type Scenario struct {
	Name      string // verb/scenario
	About     string // what it shows, in a sentence
	Configure []byte // the frame that makes the machine
	Request   []byte // the frame that is asked; empty where configuring is all
	Expect    string // one of the Expectations, with a reason or code behind some
	Reply     []byte // what comes back
	Fields    []Field
}

// Field is one input or output in words, for readers and for other
// implementations of the core: the frames say the same.
type Field struct{ Name, Value string }

// Expectations are all that a scenario may expect. A reader fails on another.
var Expectations = []string{"ok", "refused", "error", "too_large", "policy", "malformed", "unknown_op", "unknown_machine", "conflict"}

// Parse reads a file. It refuses unknown and missing lines and expectations.
func Parse(name string, text []byte) (Scenario, error) {
	s := Scenario{Name: strings.TrimSuffix(name, ".txt")}
	met := map[string]bool{}
	for n, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		key, value, ok := strings.Cut(line, ": ")
		if !ok && strings.HasSuffix(line, ":") {
			key, ok = strings.TrimSuffix(line, ":"), true
		}
		field := strings.HasPrefix(key, "in.") || strings.HasPrefix(key, "out.")
		if !ok || met[key] && !field {
			return s, fmt.Errorf("%s, line %d: want a name of its own, a colon, a space and a value", name, n+1)
		}
		met[key] = true
		if err := s.set(key, value, field); err != nil {
			return s, fmt.Errorf("%s, line %d: %w", name, n+1, err)
		}
	}
	for _, key := range []string{"about", "configure", "request", "expect", "reply"} {
		if !met[key] {
			return s, fmt.Errorf("%s: the line %q is missing", name, key)
		}
	}
	return s, nil
}

func (s *Scenario) set(key, value string, field bool) (err error) {
	switch {
	case field:
		s.Fields = append(s.Fields, Field{key, value})
	case key == "about":
		s.About = value
	case key == "expect":
		s.Expect = value
		if kind, _, _ := strings.Cut(value, " "); !slices.Contains(Expectations, kind) {
			return fmt.Errorf("unknown expectation %q; allowed: %s", value, strings.Join(Expectations, ", "))
		}
	case key == "configure":
		s.Configure, err = hex.DecodeString(value)
	case key == "request":
		s.Request, err = hex.DecodeString(value)
	case key == "reply":
		s.Reply, err = hex.DecodeString(value)
	default:
		return fmt.Errorf("unknown line %q", key)
	}
	return err
}

// Format writes the file that Parse reads.
func (s *Scenario) Format() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "about: %s\n", s.About)
	for _, f := range s.Fields {
		fmt.Fprintf(&b, "%s: %s\n", f.Name, f.Value)
	}
	fmt.Fprintf(&b, "configure: %x\nrequest: %x\nexpect: %s\nreply: %x\n", s.Configure, s.Request, s.Expect, s.Reply)
	return []byte(strings.ReplaceAll(b.String(), ": \n", ":\n"))
}

// All parses every file, in the order of their names.
func All() ([]Scenario, error) {
	var all []Scenario
	err := fs.WalkDir(FS(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(FS(), path)
		if err != nil {
			return err
		}
		s, err := Parse(path, text)
		all = append(all, s)
		return err
	})
	return all, err
}
