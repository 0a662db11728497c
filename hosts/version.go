package hosts

import (
	"runtime/debug"
	"slices"
)

const module = "github.com/rockstar-web/sessions"

// Version returns the version of this library that the program was built with, such as
// "v0.1.0"; "devel" if that is not known, as in a clone.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "devel"
	}
	for _, m := range append(slices.Clone(info.Deps), &info.Main) {
		if m.Path == module && m.Version != "" && m.Version != "(devel)" {
			return m.Version
		}
	}
	return "devel"
}
