package sessionctl

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/stores"
)

var keygenCommand = Command{
	Name: "keygen", Brief: "print a fresh encryption key",
	About:    "Prints a fresh random key of 32 bytes as 64 hexadecimal digits, and nothing else.",
	Examples: []string{`export SESSION_ENCRYPTION_KEY=$(sessionctl keygen)`},
	Flags:    func(*flag.FlagSet) func(context.Context, *Program, []string) error { return keygen },
}

func keygen(_ context.Context, p *Program, _ []string) error {
	key := make([]byte, core.KeyLen)
	rand.Read(key) // never fails
	_, err := fmt.Fprintln(p.Out, hex.EncodeToString(key))
	return err
}

// DevelopmentKeyFile is the key that the demo makes, in hex, beside sessions that
// are in files. The doctor looks at its mode.
const DevelopmentKeyFile = "development.key"

// maxKeyFile is how many bytes of a key file are read.
const maxKeyFile = 4 << 10

// errNoKeyGiven means that neither a file nor the environment has a key.
var errNoKeyGiven = errors.New("no key: name a file with --key-file, or set " + hosts.DefaultKeyVariable)

// errKeyAsFile does not show the key.
var errKeyAsFile = errors.New("--key-file is followed by what looks like a key; allowed: the name of a file that has it, or leave it out and set " + hosts.DefaultKeyVariable)

// likeKey matches keys in hex, also one that lacks some digits.
var likeKey = regexp.MustCompile(`^[0-9A-Fa-f]{48,}(@.*|,.*)?$`)

// reason is an error of a file without the name, which may hold anything.
func reason(err error) error {
	if named, ok := errors.AsType[*fs.PathError](err); ok {
		return named.Err
	}
	return err
}

// KeyGiven reports whether the environment has a key, or several.
func KeyGiven() bool {
	return os.Getenv(hosts.DefaultKeyVariable) != "" || os.Getenv(hosts.DefaultKeysVariable) != ""
}

// readKeys takes the keys from a file, a raw one or as hosts.ParseKeys reads them,
// or else from the environment. Never from the command line, which every process
// can read.
func readKeys(path string) (core.KeyRing, error) {
	if path == "" {
		if !KeyGiven() {
			return nil, errNoKeyGiven
		}
		return hosts.KeysFromEnv()
	}
	f, err := os.Open(path)
	switch {
	case err != nil && likeKey.MatchString(path):
		return nil, errKeyAsFile
	case err != nil:
		return nil, fmt.Errorf("key file %s: %w", stores.Typed(path), reason(err))
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxKeyFile))
	if err != nil {
		return nil, fmt.Errorf("key file %s: %w", path, reason(err))
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, fmt.Errorf("key file %s is empty", path)
	}
	keys := core.KeyRing{{Bytes: core.NewSecret(text)}}
	if len(text) != core.KeyLen {
		keys, err = hosts.ParseKeys(string(text))
	} else {
		_, err = core.NewMachine(core.Policy{}, keys)
	}
	if err != nil {
		return nil, fmt.Errorf("key file %s: %w", path, err)
	}
	return keys, nil
}
