package demo

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/sessionctl"
	"github.com/rockstar-web/sessions/stores"
)

// maxKeyFile is how many bytes of a key file are read.
const maxKeyFile = 4 << 10

// keyInfo is what people should know about the key.
type keyInfo struct {
	warning string // nothing about a key that was given
	kept    bool   // it survives a restart
}

// developmentKey returns a key that survives as long as the sessions do.
func developmentKey(store string) (key core.Secret, about keyInfo, err error) {
	advice := "set " + hosts.DefaultKeyVariable + " (sessionctl keygen) for anything but trying out"
	dir, ok := stores.Dir(store)
	if file, embedded := stores.File(store); embedded {
		dir, ok = filepath.Dir(file), true
	}
	if !ok {
		fresh := make([]byte, core.KeyLen)
		rand.Read(fresh) // never fails
		return core.NewSecret(fresh), keyInfo{warning: "the key is random and only in memory, so everybody is signed out when the demo stops; " + advice}, nil
	}
	path := filepath.Join(dir, sessionctl.DevelopmentKeyFile)
	key, err = readKey(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err = writeKey(dir, path); err == nil {
			key, err = readKey(path)
		}
	}
	if err != nil {
		return core.Secret{}, about, fmt.Errorf("development key: %w", err)
	}
	return key, keyInfo{"the key is a development key, and anybody who can read " + path + " can open every session; " + advice, true}, nil
}

func readKey(path string) (core.Secret, error) {
	f, err := os.Open(path)
	if err != nil {
		return core.Secret{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return core.Secret{}, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return core.Secret{}, fmt.Errorf("%s has mode %v and others may have read it; remove it, which signs everybody out, or chmod 0600", path, info.Mode())
	}
	text, err := io.ReadAll(io.LimitReader(f, maxKeyFile))
	if err != nil {
		return core.Secret{}, err
	}
	key, err := core.ParseKey(string(text))
	if err != nil {
		return core.Secret{}, fmt.Errorf("%s: %w; remove it, which signs everybody out", path, err)
	}
	return key, nil
}

// writeKey makes the file whole or not at all, and never in place of one that
// another process made meanwhile.
func writeKey(dir, path string) error {
	f, err := os.CreateTemp(dir, sessionctl.DevelopmentKeyFile+".*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	key := make([]byte, core.KeyLen)
	rand.Read(key) // never fails
	_, err = f.WriteString(hex.EncodeToString(key) + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}
