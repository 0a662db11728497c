package stores

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/rockstar-web/sessions/hosts"
)

// Migration is what becomes of the tables of a database when it is opened.
type Migration int

const (
	AsNamed  Migration = iota // what migrate= in the name says
	Never                     // nothing: tables of an older program are an error
	Migrated                  // they are made or brought up to date
)

// Name is the name of a store, taken apart. Rest may have a password in it.
type Name struct {
	Scheme, Rest string // before and behind the colon
	Scratch      string // names a namespace beside the sessions; empty for the sessions themselves
	Migration    Migration
	Cache        int64 // bytes of a cache before the store, which is not the driver's concern
}

// cutCache takes cache=SIZE out of what stands behind the question mark.
func cutCache(name string) (rest string, bytes int64, err error) {
	before, query, ok := strings.Cut(name, "?")
	if !ok {
		return name, 0, nil
	}
	var left []string
	for _, part := range strings.Split(query, "&") {
		text, ok := strings.CutPrefix(part, "cache=")
		if !ok {
			left = append(left, part)
			continue
		}
		if bytes, err = hosts.ParseSize(text); err != nil || bytes == 0 {
			return "", 0, fmt.Errorf("open store: %w", &hosts.ConfigError{Field: "cache", Value: fmt.Sprintf("%.40q", text), Allowed: "bytes such as 64MiB"})
		}
	}
	if len(left) == 0 {
		return before, bytes, nil
	}
	return before + "?" + strings.Join(left, "&"), bytes, nil
}

// check refuses what is no path: file://dir, where dir would be the name of a
// machine (file:///dir is how URLs are written), and options of a server's URL.
func (n Name) check() error {
	name := n.Scheme + ":"
	machine := strings.HasPrefix(n.Rest, "//") && !strings.HasPrefix(n.Rest, "///")
	switch {
	case machine:
		return &hosts.ConfigError{Field: "store", Value: name + "//", Allowed: name + "PATH, " + name + "/PATH or " + name + "///PATH"}
	case strings.Contains(n.Rest, "?"):
		return &hosts.ConfigError{Field: "store", Value: name + "...?...", Allowed: name + "PATH without options, which only servers take"}
	}
	return nil
}

// Path returns what the rest means as a path, or otherwise where it is empty. Of
// a scratch namespace it is a path beside that one.
func (n Name) Path(otherwise string) (string, error) {
	if err := n.check(); err != nil {
		return "", err
	}
	path := cmp.Or(n.Rest, otherwise)
	if n.Scratch == "" {
		return path, nil
	}
	whole, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	// Else it would be made, and left behind.
	if _, err := os.Stat(filepath.Dir(whole)); errors.Is(err, fs.ErrNotExist) {
		return "", Absent("there is no directory %s for the store", filepath.Dir(path))
	}
	return whole + "." + n.Scratch, nil
}

// URL returns the whole name. For a scratch namespace, or a [Migration] that the
// program has chosen, set changes its query: what it sets wins over what the
// name has.
func (n Name) URL(set func(query url.Values)) (string, error) {
	name := n.Scheme + ":" + n.Rest
	if n.Scratch == "" && n.Migration == AsNamed {
		return name, nil
	}
	server, text, _ := strings.Cut(name, "?")
	query, err := url.ParseQuery(text)
	if err != nil {
		return "", &hosts.ConfigError{Field: "store", Value: n.Scheme + ":...?...", Allowed: "behind the question mark NAME=VALUE, joined by & and percent-encoded"}
	}
	set(query)
	return server + "?" + query.Encode(), nil
}
