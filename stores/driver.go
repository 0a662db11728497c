package stores

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/rockstar-web/sessions/hosts"
)

// Store is an open store.
type Store interface {
	hosts.Store
	io.Closer
}

// Driver says how the stores of some schemes are opened.
type Driver struct {
	Schemes []string // before the colon; the first stands in help texts
	Rest    string   // what stands behind the colon, for help texts, such as "//HOST:PORT"
	Word    string   // may stand in place of the whole name: "cache"

	Single   bool // it has one handle at a time
	Volatile bool // it has lost everything when that is closed

	// Dir or File is where the store of a name without a rest is, if it is a
	// directory or a file. [Dir] and [File] know it then, and [Name.Path].
	Dir, File string

	// Open opens the store of a name. ctx bounds the opening alone.
	Open func(ctx context.Context, n Name) (Store, error)

	// Exists looks for the sessions at a path without a trace, for stores with
	// Dir or File. Its error is made by [Absent] where there are none.
	Exists func(ctx context.Context, path string) error

	// Drop removes what Open left of a scratch namespace. The store is closed.
	Drop func(ctx context.Context, n Name) error
}

var registry struct {
	sync.RWMutex
	drivers []Driver
}

// Register adds the driver of some schemes, for [Open] and for the commands of
// package sessionctl. Call it from an init function. It panics if a scheme has a
// driver already, or if the driver has no scheme, Open or Drop.
func Register(d Driver) {
	registry.Lock()
	defer registry.Unlock()
	if err := d.fits(); err != nil {
		panic(err.Error())
	}
	registry.drivers = append(registry.drivers, d)
}

func (d *Driver) fits() error {
	if len(d.Schemes) == 0 || d.Open == nil || d.Drop == nil {
		return errors.New("stores: Register needs a driver with Schemes, Open and Drop")
	}
	if (d.Dir != "" || d.File != "") && d.Exists == nil {
		return fmt.Errorf("stores: the driver of %q has a Dir or a File: it needs Exists", d.Schemes[0])
	}
	for _, other := range registry.drivers {
		for _, scheme := range d.Schemes {
			if slices.Contains(other.Schemes, scheme) {
				return fmt.Errorf("stores: the scheme %q has a driver already", scheme)
			}
		}
	}
	return nil
}

func drivers() []Driver {
	registry.RLock()
	defer registry.RUnlock()
	return slices.Clip(registry.drivers)
}

// embedded is the word of the store that an empty name means.
const embedded = "database"

// others are the schemes of stores/all.
var others = []string{"", embedded, "sqlite", "postgres", "postgresql", "mysql", "mariadb", "redis", "rediss",
	"redis+cluster", "rediss+cluster", "redis+sentinel", "rediss+sentinel"}

func find(name string) (Driver, Name, error) {
	name, cache, err := cutCache(name)
	if err != nil {
		return Driver{}, Name{}, err
	}
	scheme, rest, ok := strings.Cut(name, ":")
	for _, d := range drivers() {
		switch {
		case !ok && name != "" && name == d.Word, name == "" && d.Word == embedded:
			return d, Name{Scheme: d.Schemes[0], Cache: cache}, nil
		case ok && slices.Contains(d.Schemes, scheme):
			return d, Name{Scheme: scheme, Rest: rest, Cache: cache}, nil
		}
	}
	var begins []string // the names of Allowed without what is to be filled in: for one line
	for _, d := range drivers() {
		rest := ""
		if strings.HasPrefix(d.Rest, "//") {
			rest = "//"
		}
		begins = append(begins, d.Schemes[0]+":"+rest)
		if d.Word != "" {
			begins = append(begins, d.Word)
		}
	}
	allowed := strings.Join(begins, ", ")
	given := Typed(scheme)
	if strings.ContainsRune(given, '@') {
		given = "..."
	}
	if !ok && given == name && strings.ContainsAny(name, "./") {
		allowed += "; a file or directory needs a scheme: sqlite:" + name + ", file:" + name
	}
	if slices.Contains(others, scheme) {
		allowed += `; import _ "github.com/rockstar-web/sessions/stores/all" for the others`
	}
	return Driver{}, Name{}, fmt.Errorf("open store: %w", &hosts.ConfigError{Field: "store", Value: given, Allowed: allowed})
}

// Allowed lists the names that [Open] takes, for help texts.
func Allowed() string {
	var list []string
	for _, d := range drivers() {
		list = append(list, d.Schemes[0]+":"+d.Rest)
		if d.Word != "" {
			list = append(list, d.Word)
		}
	}
	return strings.Join(list, ", ")
}
