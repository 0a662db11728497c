package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

var keygenCommand = command{
	name: "keygen", brief: "print a fresh encryption key",
	about: "Prints a fresh random key of 32 bytes as 64 hexadecimal digits, and nothing else.",
	flags: func(*flag.FlagSet) func(context.Context, *program, []string) error { return keygen },
}

func keygen(_ context.Context, p *program, _ []string) error {
	key := make([]byte, core.KeyLen)
	rand.Read(key) // never fails
	_, err := fmt.Fprintln(p.out, hex.EncodeToString(key))
	return err
}

// maxKeyFile is how many bytes of a key file are read.
const maxKeyFile = 4 << 10

// errNoKeyGiven means that neither a file nor the environment has a key.
var errNoKeyGiven = errors.New("no key: name a file with --key-file, or set " + hosts.DefaultKeyVariable)

// readKey takes the key from a file, raw or in hex, or else from the
// environment. Never from the command line, which every process can read.
func readKey(path string) ([]byte, error) {
	if path == "" {
		if os.Getenv(hosts.DefaultKeyVariable) == "" {
			return nil, errNoKeyGiven
		}
		return hosts.KeyFromEnv("")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	defer f.Close()
	key, err := io.ReadAll(io.LimitReader(f, maxKeyFile))
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	if len(key) != core.KeyLen {
		key = bytes.TrimSpace(key)
	}
	if _, err := core.NewMachine(core.Policy{}, core.KeyRing{{Bytes: key}}); err != nil {
		return nil, fmt.Errorf("key file %s: %w", path, err)
	}
	return key, nil
}
