package open

import (
	"cmp"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rockstar-web/sessions/cachestore/redis"
	"github.com/rockstar-web/sessions/hosts"
)

// A place is a name, taken apart.
type place struct {
	scheme, rest string // before and behind the colon
	scratch      string // of a Namespace, empty for the sessions themselves
	way          way
}

// check refuses what is no path: file://dir, where dir would be the name of a
// machine (file:///dir is how URLs are written), and options of a server's URL.
func (p place) check() error {
	name := p.scheme + ":"
	machine := strings.HasPrefix(p.rest, "//") && !strings.HasPrefix(p.rest, "///")
	switch {
	case machine:
		return &hosts.ConfigError{Field: "store", Value: name + "//", Allowed: name + "PATH, " + name + "/PATH or " + name + "///PATH"}
	case strings.Contains(p.rest, "?"):
		return &hosts.ConfigError{Field: "store", Value: name + " with a question mark", Allowed: name + "PATH without options, which only servers take"}
	}
	return nil
}

// path returns what the rest of a name means as a path, or beside it that of a
// scratch namespace.
func (p place) path(otherwise string) (string, error) {
	if err := p.check(); err != nil {
		return "", err
	}
	path := cmp.Or(p.rest, otherwise)
	if p.scratch == "" {
		return path, nil
	}
	whole, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	// Else it would be made, and left behind.
	if _, err := os.Stat(filepath.Dir(whole)); errors.Is(err, fs.ErrNotExist) {
		return "", absentf("the directory %s of the store is not there", filepath.Dir(path))
	}
	return whole + "." + p.scratch, nil
}

// url returns the name as the stores take it. set changes its query: for a
// scratch namespace or a way, what it chooses wins over what the name has.
func (p place) url(set func(query url.Values)) (string, error) {
	name := p.scheme + ":" + p.rest
	if p.scratch == "" && p.way == asNamed {
		return name, nil
	}
	server, text, _ := strings.Cut(name, "?")
	query, err := url.ParseQuery(text)
	if err != nil {
		return "", &hosts.ConfigError{Field: "store", Value: "what stands behind the question mark", Allowed: "NAME=VALUE, joined by &"}
	}
	set(query)
	return server + "?" + query.Encode(), nil
}

// table has a scratch table made, in the schema of the one that is named, and
// sees to the way.
func (p place) table(query url.Values) {
	if _, err := strconv.ParseBool(cmp.Or(query.Get("migrate"), "true")); err == nil { // else it is refused
		query.Set("migrate", strconv.FormatBool(p.way != asItIs))
	}
	if p.scratch == "" {
		return
	}
	table := "sessions_" + p.scratch
	if schema, _, ok := strings.Cut(query.Get("table"), "."); ok {
		table = schema + "." + table
	}
	query.Set("table", table)
}

// maxPrefix is that of redis.Options, in bytes.
const maxPrefix = 64

// prefix begins with the one that is named, to which the user of the server may
// be confined; with as much of it as there is room for.
func (p place) prefix(query url.Values) {
	named := cmp.Or(query.Get("prefix"), redis.DefaultPrefix)
	if room := maxPrefix - len(p.scratch+":"); len(named) <= maxPrefix {
		named = named[:min(len(named), room)]
	}
	query.Set("prefix", named+p.scratch+":")
}
